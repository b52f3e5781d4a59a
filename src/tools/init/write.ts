import type { Recipe } from "./contract.ts";

const base = "debian:bookworm";

export function writeDockerfile(recipe: Recipe, name: string): string {
  const lines = [
    `# A box for the ${recipe.what}.`,
    "#",
    ...usage([
      [`gantry build -t ${name} .`, "makes the image"],
      [`gantry run --rm ${name}`, "runs it; words after the name go to the program"],
      [`gantry run --rm -v "$PWD":/data -w /data ${name}`, "runs it on the files of this folder"],
    ]),
    "",
    ...(recipe.compile === undefined ? singleStage(recipe) : twoStages(recipe, recipe.compile)),
    "",
    "# What runs. It is a list, so that the program itself gets the signals and stops at once.",
    `ENTRYPOINT ${JSON.stringify(recipe.entrypoint).replaceAll('","', '", "')}`,
  ];
  return `${lines.join("\n")}\n`;
}

function usage(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([command]) => command.length));
  return rows.map(([command, what]) => `#   ${command.padEnd(width)}   ${what}`);
}

function singleStage(recipe: Recipe): string[] {
  return [
    `FROM ${base}`,
    ...install(recipe.packages, "What the program needs, from Debian."),
    "",
    "WORKDIR /app",
    ...(recipe.dependencies.length === 0 ? [] : ["", ...recipe.dependencies]),
    "",
    "# The folder itself; .dockerignore says what stays out.",
    "COPY . .",
  ];
}

function twoStages(recipe: Recipe, compile: NonNullable<Recipe["compile"]>): string[] {
  const program = recipe.entrypoint[0]!;
  return [
    "# First a place to compile in; nothing of it is in the finished image but what is copied out.",
    `FROM ${base} AS build`,
    ...install(compile.packages, "The compiler and what it needs."),
    "",
    "WORKDIR /src",
    "# The folder itself; .dockerignore says what stays out.",
    "COPY . .",
    `RUN ${compile.run}`,
    "",
    "# The image that is kept.",
    `FROM ${base}`,
    ...install(recipe.packages, "Libraries the program is linked with."),
    `COPY --from=build ${compile.copy} ${program}`,
    "WORKDIR /data",
  ];
}

/** One RUN: the package lists are fetched, used and removed together, so that no layer holds them. */
function install(packages: readonly string[], reason: string): string[] {
  if (packages.length === 0) return [];
  return [
    "",
    `# ${reason}`,
    "RUN apt-get update \\",
    ` && apt-get install -y --no-install-recommends ${packages.join(" ")} \\`,
    " && rm -rf /var/lib/apt/lists/*",
  ];
}

export function writeDockerignore(recipe: Recipe): string {
  const lines = [
    "# What `COPY .` leaves out: it keeps the image small, and a change of these builds nothing anew.",
    "# One pattern a line, as in Docker: anchored at this folder, ** crosses folders, ! lets in again.",
    "",
    ".git/",
    "Dockerfile",
    ".dockerignore",
    "**/.DS_Store",
    "",
    "# Keys and passwords never belong into an image.",
    ".env",
    "**/*.pem",
    "**/id_rsa*",
    ...(recipe.ignore.length === 0
      ? []
      : ["", "# Made by the tools, made anew inside.", ...recipe.ignore.map(everywhere)]),
  ];
  return `${lines.join("\n")}\n`;
}

function everywhere(pattern: string): string {
  return pattern.startsWith("**/") || pattern.slice(0, -1).includes("/") ? pattern : `**/${pattern}`;
}
