import { GantryError } from "#base/core/errors.ts";
import { cRecipe } from "./c.ts";
import type { Folder, InitResult, Recipe } from "./contract.ts";
import { nodeRecipe } from "./node.ts";
import { pythonRecipe } from "./python.ts";
import { rRecipe } from "./r.ts";
import { shellRecipe } from "./shell.ts";
import { writeDockerfile, writeDockerignore } from "./write.ts";

/** Most telling first: a project of C often has a shell script beside it, seldom the other way round. */
const recipes = [nodeRecipe, pythonRecipe, rRecipe, cRecipe, shellRecipe];

/** What an image of the folder is called: lower case, as references demand. */
function imageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/[._-]{2,}/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? "my-image" : name;
}

/** A Dockerfile and a .dockerignore for the folder. Error "not-found": nothing in it is of a language known here. */
export function initFolder(folder: Folder): InitResult {
  const recipe = recipes.map((make) => make(folder)).find((made): made is Recipe => made !== undefined);
  if (recipe === undefined) {
    throw new GantryError("not-found", {
      doing: "write a Dockerfile for",
      on: folder.name,
      because: "it holds no Python, R, Node, C or shell at its top",
      next: "Run gantry init in the folder that holds your script.",
    });
  }
  const name = imageName(folder.name);
  return {
    language: recipe.language,
    what: recipe.what,
    dockerfile: writeDockerfile(recipe, name),
    dockerignore: writeDockerignore(recipe),
    notes: recipe.notes,
    imageName: name,
  };
}
