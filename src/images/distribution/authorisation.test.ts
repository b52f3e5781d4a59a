import { expect, test } from "bun:test";
import { isKind } from "#base/core/errors.ts";
import { digestOf } from "#formats/oci/digest.ts";
import { repositoryAt, serve, type TestServer } from "./testing/servers.ts";

const digest = digestOf("x");
const credentials = { username: "me", password: "pass:word" };
const basic = `Basic ${Buffer.from("me:pass:word").toString("base64")}`;
const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A registry whose token service is itself; the token is good for so many requests. */
function tokenRegistry(options: { readonly uses?: number; readonly name?: "token" | "access_token" } = {}): TestServer {
  const { uses = Number.POSITIVE_INFINITY, name = "token" } = options;
  let number = 0;
  let left = 0;
  const server: TestServer = serve(({ path, authorization }) => {
    if (path === "/token") {
      number += 1;
      left = uses;
      return Response.json({ [name]: `t${number}`, expires_in: 60 });
    }
    if (authorization === `Bearer t${number}` && left-- > 0) return new Response(null, { status: 200 });
    const challenge = `Bearer realm="http://${server.domain}/token",service="test",scope="repository:team/app:pull"`;
    return new Response("no", { status: 401, headers: { "WWW-Authenticate": challenge } });
  });
  return server;
}

test("a bearer token is fetched with the credentials, the service and the scope, and used again", async () => {
  await using server = tokenRegistry();
  const repository = repositoryAt(server.domain, { credentials, actions: ["pull", "push"], mountFrom: ["team/base"] });
  expect(await repository.hasBlob(digest)).toBe(true);
  expect(await repository.hasBlob(digest)).toBe(true);
  const asked = server.seen.filter(({ path }) => path === "/token");
  expect(asked.length).toBe(1);
  expect(asked[0]).toMatchObject({ method: "GET", authorization: basic });
  expect(asked[0]!.query.get("service")).toBe("test");
  expect(asked[0]!.query.get("account")).toBe("me");
  expect(asked[0]!.query.getAll("scope")).toEqual([
    "repository:team/app:pull,push",
    "repository:team/base:pull",
    "repository:team/app:pull",
  ]);
});

test("without credentials an anonymous token is asked for", async () => {
  await using server = tokenRegistry({ name: "access_token" });
  expect(await repositoryAt(server.domain).hasBlob(digest)).toBe(true);
  expect(server.seen.map(({ path, authorization }) => [path.slice(0, 6), authorization])).toEqual([
    ["/v2/te", null],
    ["/token", null],
    ["/v2/te", "Bearer t1"],
  ]);
});

test("an identity token is refreshed with POST, never sent elsewhere", async () => {
  await using server = tokenRegistry({ name: "access_token" });
  await repositoryAt(server.domain, { credentials: { identityToken: "refresh-me" } }).hasBlob(digest);
  const asked = server.seen.find(({ path }) => path === "/token")!;
  expect(asked).toMatchObject({ method: "POST", authorization: null });
  expect(Object.fromEntries(new URLSearchParams(asked.body))).toEqual({
    grant_type: "refresh_token",
    refresh_token: "refresh-me",
    client_id: "gantry",
    service: "test",
    scope: "repository:team/app:pull",
  });
});

test("a token that has run out is fetched anew, once for all that are refused at the same time", async () => {
  await using server = tokenRegistry({ uses: 20 });
  const repository = repositoryAt(server.domain, { credentials });
  expect(await Promise.all(Array.from({ length: 8 }, () => repository.hasBlob(digest)))).not.toContain(false);
  expect(server.seen.filter(({ path }) => path === "/token").length).toBe(1);
  for (let n = 0; n < 30; n += 1) expect(await repository.hasBlob(digest)).toBe(true);
  expect(server.seen.filter(({ path }) => path === "/token").length).toBe(2);
});

test("basic credentials are sent when they are asked for, also by many requests at once", async () => {
  await using server = serve(({ authorization }) =>
    authorization === basic
      ? new Response(null)
      : new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } }),
  );
  const repository = repositoryAt(server.domain, { credentials });
  expect(await Promise.all(Array.from({ length: 8 }, () => repository.hasBlob(digest)))).not.toContain(false);
  expect(server.seen.filter(({ authorization }) => authorization === null).length).toBeLessThanOrEqual(8);
  const wrong = repositoryAt(server.domain, { credentials: { username: "me", password: "wrong" } });
  expect(isKind(await caught(wrong.ping()), "unauthenticated")).toBe(true);
  const nobody = await caught(repositoryAt(server.domain).ping());
  expect(isKind(nobody, "unauthenticated")).toBe(true);
  expect((nobody as Error).message).toContain("gantry login");
});

test("a registry that refuses every token is asked no more than three times", async () => {
  await using server = tokenRegistry({ uses: 0 });
  expect(isKind(await caught(repositoryAt(server.domain, { credentials }).hasBlob(digest)), "unauthenticated")).toBe(
    true,
  );
  expect(server.seen.length).toBeLessThanOrEqual(5);
});

test("a realm that is less safe gets nothing", async () => {
  const realms = ["http://169.254.169.254/", "http://192.0.2.1/token", "https://169.254.169.254/"];
  for (const realm of realms) {
    await using server = serve(
      () => new Response(null, { status: 401, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } }),
    );
    const error = await caught(repositoryAt(server.domain, { credentials }).hasBlob(digest));
    expect([realm, isKind(error, "denied")]).toEqual([realm, true]);
    expect(server.seen.every(({ authorization }) => authorization === null)).toBe(true);
  }
});

test("a token service that fails, rambles or redirects is not followed", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65536).fill(32)),
      }),
    );
  const cases: [() => Response, string][] = [
    [() => new Response("bad password", { status: 401 }), "unauthenticated"],
    [() => new Response(null, { status: 403 }), "denied"],
    [() => new Response("not json"), "unavailable"],
    [() => Response.json({ token: "a\r\nX: y" }), "unavailable"],
    [() => Response.json({ token: 5 }), "unavailable"],
    [endless, "invalid"],
    [() => new Response(null, { status: 302, headers: { Location: "http://192.0.2.1/" } }), "unauthenticated"],
  ];
  for (const [token, kind] of cases) {
    const server: TestServer = serve(({ path }) =>
      path === "/token"
        ? token()
        : new Response(null, {
            status: 401,
            headers: { "WWW-Authenticate": `Bearer realm="http://${server.domain}/token"` },
          }),
    );
    await using _ = server;
    const error = await caught(repositoryAt(server.domain, { credentials }).hasBlob(digest));
    expect([kind, isKind(error) && error.kind]).toEqual([kind, kind as never]);
  }
});

test("a host the registry redirects to sees no credentials, and its challenge is not answered", async () => {
  await using other = serve(
    () => new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="evil"' } }),
  );
  await using server = serve(({ authorization }) =>
    authorization === null
      ? new Response(null, { status: 401, headers: { "WWW-Authenticate": "Basic" } })
      : new Response(null, { status: 307, headers: { Location: `http://${other.domain}/blob` } }),
  );
  const error = await caught(repositoryAt(server.domain, { credentials }).hasBlob(digest));
  expect(isKind(error, "unauthenticated")).toBe(true);
  expect(server.seen.some(({ authorization }) => authorization === basic)).toBe(true);
  expect(other.seen.length).toBeGreaterThan(0);
  expect(other.seen.every(({ authorization }) => authorization === null)).toBe(true);
});

test("an upload's place on another host gets the bytes and no credentials", async () => {
  await using other = serve(() => new Response(null, { status: 201 }));
  await using server = serve(({ authorization }) =>
    authorization === null
      ? new Response(null, { status: 401, headers: { "WWW-Authenticate": "Basic" } })
      : new Response(null, { status: 202, headers: { Location: `http://${other.domain}/up?state=1` } }),
  );
  const repository = repositoryAt(server.domain, { credentials });
  const descriptor = { mediaType: "x/y", digest, size: 1 };
  await repository.putBlob(descriptor, () => new Response("x").body!);
  expect(other.seen).toMatchObject([{ method: "PUT", path: "/up", authorization: null, body: "x" }]);
  expect(other.seen[0]!.query.get("state")).toBe("1");
  expect(other.seen[0]!.query.get("digest")).toBe(digest);
});
