import { expect, test } from "bun:test";
import { createRouterTransport } from "@connectrpc/connect";
import type { Session } from "./contract.ts";
import { OpenSessions } from "./sessions.ts";

const session = (id: string): Session => ({
  id,
  transport: createRouterTransport(() => undefined),
  serves: () => false,
  gone: new AbortController().signal,
});
const never = new Promise<void>(() => undefined);
const patient = new AbortController().signal;

test("a session is found whether it was opened before or comes after it was asked for", async () => {
  const sessions = new OpenSessions();
  const [first, second] = [session("first"), session("second")];
  void sessions.hold(first, never);
  expect(await sessions.find("first", patient)).toBe(first);
  const found = sessions.find("second", patient);
  void sessions.hold(second, never);
  expect(await found).toBe(second);
});

test("a session is forgotten when it is over, and its id is no other's before", async () => {
  const sessions = new OpenSessions();
  const over = Promise.withResolvers<void>();
  const held = sessions.hold(session("one"), over.promise);
  await expect(sessions.hold(session("one"), never)).rejects.toMatchObject({ kind: "conflict" });
  await expect(sessions.hold(session(""), never)).rejects.toMatchObject({ kind: "conflict" });
  over.resolve();
  await held;
  const next = session("one");
  void sessions.hold(next, never);
  expect(await sessions.find("one", patient)).toBe(next);
});

test("whoever waits for a session that does not come gives up when told to", async () => {
  const leaving = new AbortController();
  const found = new OpenSessions().find("none", leaving.signal);
  leaving.abort(new Error("left"));
  await expect(found).rejects.toThrow("left");
});
