import { expect, test } from "bun:test";
import { GantryError } from "#base/core/errors.ts";
import { lost, refusal } from "./failure.ts";

test("the engine's words are the whole message and its kind is kept", () => {
  const error = refusal(500, '{"message":"Cannot pull: gone","kind":"corrupt"}', "POST /x");
  expect(error).toMatchObject({ message: "Cannot pull: gone", kind: "corrupt", status: 500 });
});

test("an engine that tells no kind is understood by its status", () => {
  expect(refusal(404, '{"message":"No such container: a"}', "GET /x").kind).toBe("not-found");
  expect(refusal(409, '{"message":"in use","kind":"made up"}', "GET /x").kind).toBe("conflict");
  expect(refusal(418, "", "GET /x")).toMatchObject({ kind: "internal", message: "the engine answers with status 418" });
  expect(refusal(502, "<html>bad gateway</html>", "GET /x").message).toBe("<html>bad gateway</html>");
  expect(refusal(400, "null", "GET /x").kind).toBe("invalid");
});

test("nobody listening and a connection that broke are told apart", () => {
  const nobody = lost("unix:///x", Object.assign(new Error("x"), { code: "FailedToOpenSocket" }), "GET /x");
  expect(nobody.message).toContain("gantry engine start");
  expect(lost("unix:///x", new Error("reset"), "GET /x").message).toContain("the connection broke: reset");
  const own = new GantryError("cancelled", { doing: "build", because: "it was stopped" });
  expect(lost("unix:///x", own, "GET /x")).toBe(own);
});
