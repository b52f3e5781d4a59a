import { expect, test } from "bun:test";
import { apiVersion } from "#formats/docker/contract.ts";
import type { Route } from "./contract.ts";
import { Router } from "./router.ts";

const route = (method: Route["method"], path: string): Route => ({ method, path, handle: () => ({ status: 200 }) });
const router = new Router([
  route("GET", "/images/json"),
  route("GET", "/images/:name{.+}/json"),
  route("GET", "/containers/:id/json"),
  route("DELETE", "/images/:name{.+}"),
]);

test("a path is found with and without a version in front", () => {
  expect(router.match("GET", "/containers/a/json")).toMatchObject({ version: apiVersion, params: { id: "a" } });
  expect(router.match("GET", "/v1.43/containers/a/json")).toMatchObject({
    version: "1.43",
    path: "/containers/a/json",
  });
});

test("an image's name may hold slashes, also encoded ones", () => {
  expect(router.match("GET", "/images/a/b/c:1/json").params.name).toBe("a/b/c:1");
  expect(router.match("DELETE", "/images/localhost%3A5000%2Fa").params.name).toBe("localhost:5000/a");
  expect(router.match("GET", "/images/json").route.path).toBe("/images/json");
});

test("versions below and above what is served are refused in words clients know", () => {
  expect(() => router.match("GET", "/v1.10/images/json")).toThrow("client version 1.10 is too old");
  expect(() => router.match("GET", "/v1.99/images/json")).toThrow("client version 1.99 is too new");
  expect(() => router.match("GET", "/v9.0/images/json")).toThrow("Maximum supported API version");
});

test("an unknown page, another method and a broken encoding are refused by kind", () => {
  expect(() => router.match("GET", "/nowhere")).toThrow(expect.objectContaining({ kind: "not-found" }));
  expect(() => router.match("POST", "/images/json")).toThrow(expect.objectContaining({ kind: "not-found" }));
  expect(() => router.match("GET", "/containers/%ff/json")).toThrow(expect.objectContaining({ kind: "invalid" }));
});
