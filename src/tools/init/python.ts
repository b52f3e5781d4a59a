import type { Folder, Recipe } from "./contract.ts";
import { choiceNote, find, packagesFor, pickMain, topFiles } from "./pick.ts";

/** Modules that Debian packages; installed with apt they need no compiler and no second package index. */
const debianModules: Readonly<Record<string, string>> = {
  numpy: "python3-numpy",
  scipy: "python3-scipy",
  pandas: "python3-pandas",
  matplotlib: "python3-matplotlib",
  sklearn: "python3-sklearn",
  skimage: "python3-skimage",
  seaborn: "python3-seaborn",
  statsmodels: "python3-statsmodels",
  sympy: "python3-sympy",
  networkx: "python3-networkx",
  Bio: "python3-biopython",
  pysam: "python3-pysam",
  h5py: "python3-h5py",
  netCDF4: "python3-netcdf4",
  xarray: "python3-xarray",
  astropy: "python3-astropy",
  requests: "python3-requests",
  yaml: "python3-yaml",
  click: "python3-click",
  tqdm: "python3-tqdm",
  PIL: "python3-pil",
  flask: "python3-flask",
  jinja2: "python3-jinja2",
  lxml: "python3-lxml",
};

export function pythonRecipe(folder: Folder): Recipe | undefined {
  const scripts = topFiles(folder).filter(({ path }) => path.endsWith(".py"));
  const requirements = find(folder, "requirements.txt");
  const project = find(folder, "pyproject.toml");
  if (scripts.length === 0 && requirements === undefined && project === undefined) return undefined;
  const runnable = scripts.filter(({ path }) => path !== "setup.py" && !/^(?:test_|conftest)/.test(path));
  const names = ["main.py", "__main__.py", "app.py", "run.py", `${folder.name}.py`];
  const main = pickMain(runnable, names, ({ head }) => /__name__\s*==\s*["']__main__["']/.test(head));
  const imported = packagesFor(
    scripts.flatMap(({ head }) => imports(head)),
    debianModules,
  );
  const byPip = requirements !== undefined || project !== undefined;
  const run = main?.path ?? "main.py";
  return {
    language: "python",
    what: main === undefined ? "Python project" : `Python script ${main.path}`,
    packages: byPip ? ["python3", "python3-venv"] : ["python3", ...imported],
    dependencies: byPip ? pipLines(requirements !== undefined) : [],
    entrypoint: ["python3", `/app/${run}`],
    ignore: ["__pycache__/", "*.pyc", ".venv/", "venv/", ".pytest_cache/", ".ipynb_checkpoints/"],
    notes: [
      ...(main === undefined ? ["No script was found at the top of the folder; put its name into the last line."] : []),
      ...choiceNote(run, runnable),
      ...(byPip
        ? []
        : [`Modules come from Debian: ${imported.length === 0 ? "none is needed" : imported.join(", ")}.`]),
    ],
  };
}

/** A virtual environment: Debian keeps its own Python to itself. */
function pipLines(hasRequirements: boolean): string[] {
  const from = hasRequirements ? "requirements.txt" : "pyproject.toml";
  const what = hasRequirements ? "-r requirements.txt" : ".";
  return [
    "# Dependencies first: they change less often than the code, and what has not changed is not built again.",
    `COPY ${hasRequirements ? from : "."} ./`,
    "RUN python3 -m venv /opt/venv \\",
    ` && /opt/venv/bin/pip install --no-cache-dir ${what}`,
    "ENV PATH=/opt/venv/bin:$PATH",
  ];
}

function imports(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/^\s*(?:from\s+([A-Za-z_]\w*)|import\s+([A-Za-z_][\w., ]*))/gm)) {
    const names = match[1] ?? match[2] ?? "";
    for (const name of names.split(",")) found.push(name.trim().split(/[.\s]/)[0]!);
  }
  return found;
}
