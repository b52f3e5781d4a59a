import { expect, test } from "bun:test";
import { Code } from "@connectrpc/connect";
import { GantryError } from "#base/core/errors.ts";
import { failureText, grpcFailure } from "./failure.ts";

const details = { file: "Dockerfile", line: 2, column: 1, excerpt: "2 | RUN false\n    ^", step: "RUN false" };

test("a RUN that failed is told in BuildKit's words, with the Dockerfile and its line", () => {
  const error = new GantryError("invalid", {
    doing: "build",
    because: "it failed",
    details: { ...details, command: ["/bin/sh", "-c", "false"], exitCode: 1, lastLines: [] },
  });
  const failure = grpcFailure(error, { name: "Dockerfile", bytes: Buffer.from("FROM a\nRUN false\n") });
  expect(failure.rawMessage).toBe('process "/bin/sh -c false" did not complete successfully: exit code: 1');
  expect(failure.code).toBe(Code.Unknown);
  expect(failure.details[0]).toMatchObject({
    value: { info: { filename: "Dockerfile" }, ranges: [{ start: { line: 2 }, end: { line: 2 } }] },
  });
});

test("an error with an excerpt is one line: the client prints the place itself", () => {
  const because = `line 2, column 1: no such thing\n${details.excerpt}\n`;
  const error = new GantryError("invalid", { doing: "build", on: "Dockerfile", because, next: "Mend it.", details });
  expect(failureText(error)).toBe('Cannot build "Dockerfile": line 2, column 1: no such thing. Mend it.');
});

test("a stopped build is cancelled, and refused credentials keep their code", () => {
  const cancelled = new GantryError("cancelled", { doing: "build", because: "the client left" });
  expect(failureText(cancelled)).toBe("context canceled");
  expect(grpcFailure(cancelled).code).toBe(Code.Canceled);
  expect(grpcFailure(new GantryError("unauthenticated", { doing: "pull", because: "no" })).code).toBe(
    Code.Unauthenticated,
  );
  expect(grpcFailure(new Error("odd"))).toMatchObject({ code: Code.Unknown, rawMessage: "odd" });
});
