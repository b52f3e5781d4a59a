import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isKnown, page, refused, render, served } from "./docker-api.ts";

const root = join(import.meta.dir, "../..");
const text = ["..", "../.."]
  .map((above) => join(root, above, "shared/reference/docker-engine-api-v1.51.yaml"))
  .find(existsSync);

test("the page is what the routes, the refusals and the differences make of it", () => {
  expect(readFileSync(page, "utf8")).toBe(render());
});

test("no page is both served and refused, and every refusal says why", () => {
  const names = new Set(served.map(({ method, path }) => `${method} ${path}`));
  expect(refused.filter(({ method, path }) => names.has(`${method} ${path}`))).toEqual([]);
  for (const { because } of refused) expect(because).not.toBe("");
});

test.skipIf(text === undefined)("every method and path of the description is served or refused", () => {
  const { paths } = Bun.YAML.parse(readFileSync(text!, "utf8")) as { paths: Record<string, Record<string, unknown>> };
  const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((name) => ["get", "head", "post", "put", "delete"].includes(name))
      .map((method) => ({ method: method.toUpperCase(), path })),
  );
  expect(endpoints.length).toBeGreaterThan(90);
  expect(endpoints.filter((endpoint) => !isKnown(endpoint))).toEqual([]);
});
