import { expect } from "bun:test";
import type { Case } from "../contract.ts";
import { json, one, ran, sleeping, start, statusOf } from "../words.ts";

type Network = { Name: string; Driver: string; Internal: boolean; Labels: object; Containers: object };
export const networkCases: readonly Case[] = [
  one("networks: those that are always there", async (api) => {
    const names = (await json<Network[]>(api, "/networks")).map(({ Name, Driver }) => `${Name} ${Driver}`).sort();
    expect(names).toEqual(["bridge bridge", "host host", "none null"]);
    return names;
  }),
  one("networks: create, inspect and remove", async (api) => {
    const { status } = await api.ask("POST", "/networks/create", { Name: "n", Internal: true, Labels: { a: "b" } });
    const { Name, Driver, Internal, Labels } = await json<Network>(api, "/networks/n");
    return { status, Name, Driver, Internal, Labels, removed: await statusOf(api, "DELETE", "/networks/n") };
  }),
  one("networks: a name twice is a conflict", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    return statusOf(api, "POST", "/networks/create", { Name: "n" });
  }),
  one("networks: containers know each other by name and alias", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    const NetworkingConfig = { EndpointsConfig: { n: { Aliases: ["other"] } } };
    await start(api, { ...sleeping, HostConfig: { NetworkMode: "n" }, NetworkingConfig }, "server");
    const { code } = await ran(api, "ping -c1 -w2 server && ping -c1 -w2 other", { HostConfig: { NetworkMode: "n" } });
    expect(code).toBe(0);
    return code;
  }),
  one("networks: connect and disconnect while it runs, and one in use stays", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    await start(api, sleeping, "c1");
    const codes = [await statusOf(api, "POST", "/networks/n/connect", { Container: "c1" })];
    codes.push(await statusOf(api, "DELETE", "/networks/n"));
    codes.push(await statusOf(api, "POST", "/networks/n/disconnect", { Container: "c1" }));
    codes.push(await statusOf(api, "DELETE", "/networks/n"));
    return codes;
  }),
  one("networks: prune takes those nobody uses", async (api) => {
    await api.ask("POST", "/networks/create", { Name: "n" });
    const { body } = await api.ask("POST", "/networks/prune");
    expect(body).toEqual({ NetworksDeleted: ["n"] });
    return body;
  }),
];
