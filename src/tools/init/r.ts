import type { Folder, Recipe } from "./contract.ts";
import { choiceNote, packagesFor, pickMain, topFiles } from "./pick.ts";

/** Of CRAN, what Debian packages under the name it has there. */
const debianPackages: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "ggplot2 dplyr tidyr readr purrr tibble stringr forcats lubridate data.table jsonlite optparse argparse yaml",
    "magrittr rlang broom scales reshape2 plyr knitr rmarkdown shiny httr curl xml2 survival lme4 nlme mgcv glmnet",
    "vegan ape phangorn seqinr igraph matrixstats pheatmap rcolorbrewer viridis gridextra cowplot testthat devtools",
  ]
    .join(" ")
    .split(" ")
    .map((name) => [name, `r-cran-${name}`]),
);

/** Come with R itself. */
const ownPackages = new Set(
  "base stats utils methods graphics grDevices parallel tools grid splines stats4 tcltk compiler datasets".split(" "),
);

export function rRecipe(folder: Folder): Recipe | undefined {
  const scripts = topFiles(folder).filter(({ path }) => /\.[rR]$/.test(path));
  const main = pickMain(scripts, ["main.R", "run.R", "analysis.R", `${folder.name}.R`], ({ head }) =>
    head.includes("commandArgs"),
  );
  if (main === undefined) return undefined;
  const wanted = [...new Set(scripts.flatMap(({ head }) => libraries(head)))].filter((name) => !ownPackages.has(name));
  const packages = packagesFor(
    wanted.map((name) => name.toLowerCase()),
    debianPackages,
  );
  const others = wanted.filter((name) => !Object.hasOwn(debianPackages, name.toLowerCase())).sort();
  const list = others.map((name) => `"${name}"`).join(", ");
  return {
    language: "r",
    what: `R script ${main.path}`,
    packages: ["r-base-core", ...(others.length === 0 ? [] : ["r-base-dev"]), ...packages],
    dependencies:
      others.length === 0
        ? []
        : [
            "# Not packaged by Debian: compiled from CRAN.",
            `RUN Rscript -e 'install.packages(c(${list}), repos = "https://cloud.r-project.org")'`,
          ],
    entrypoint: ["Rscript", `/app/${main.path}`],
    ignore: [".Rhistory", ".RData", ".Rproj.user/", "renv/library/"],
    notes: choiceNote(main.path, scripts),
  };
}

function libraries(text: string): string[] {
  const called = [...text.matchAll(/^[^#\n]*?\b(?:library|require)\(\s*["']?([A-Za-z][\w.]*)["']?/gm)];
  const named = [...text.matchAll(/\b([A-Za-z][\w.]*)::/g)];
  return [...called, ...named].map((match) => match[1]!);
}
