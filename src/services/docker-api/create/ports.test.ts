import { expect, test } from "bun:test";
import fc from "fast-check";
import { GantryError } from "#base/core/errors.ts";
import { parsePortKey, portMappings } from "./ports.ts";

test("a binding without an address names none, so that Gantry's own default holds", () => {
  expect(portMappings({ PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } }, [])).toEqual([
    { protocol: "tcp", containerPort: 80, hostPort: 8080 },
  ]);
  expect(portMappings({ PortBindings: { "53/udp": [{ HostIp: "0.0.0.0" }] } }, [])).toEqual([
    { protocol: "udp", containerPort: 53, hostAddress: "0.0.0.0" },
  ]);
  for (const bindings of [null, [], [{ HostPort: "0" }]]) {
    expect(portMappings({ PortBindings: { "80": bindings } }, [])).toEqual([{ protocol: "tcp", containerPort: 80 }]);
  }
});

test("a range goes port by port onto the host's", () => {
  expect(
    portMappings({ PortBindings: { "80-81/tcp": [{ HostPort: "8000-8001" }] } }, []).map((port) => port.hostPort),
  ).toEqual([8000, 8001]);
});

test("all exposed ports are published but those that are already", () => {
  const host = { PublishAllPorts: true, PortBindings: { "80/tcp": [{ HostPort: "1" }] } };
  expect(portMappings(host, ["80/tcp", "81/tcp", "80/udp"])).toHaveLength(3);
  expect(portMappings({}, ["80/tcp"])).toEqual([]);
});

test("what is no port is refused, also where a range runs over the end", () => {
  for (const key of ["0/tcp", "65536", "80/http", "x", "", "9-8"]) expect(() => parsePortKey(key)).toThrow(GantryError);
  for (const HostPort of ["-1", "0x50", "65536", "80-", "90-80", "1e3"]) {
    expect(() => portMappings({ PortBindings: { "80": [{ HostPort }] } }, [])).toThrow("from 1 to 65535");
  }
  expect(() => portMappings({ PortBindings: { "80-90": [{ HostPort: "65530" }] } }, [])).toThrow("from 1 to 65535");
});

test("no text makes it give a port out of range, or throw anything but a refusal", () => {
  const text = fc.stringMatching(/^[0-9\-/tcp]{0,12}$/);
  fc.assert(
    fc.property(text, text, (key, HostPort) => {
      try {
        for (const { containerPort, hostPort = 1 } of portMappings({ PortBindings: { [key]: [{ HostPort }] } }, [])) {
          expect(containerPort > 0 && containerPort < 65536 && hostPort > 0 && hostPort < 65536).toBe(true);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(GantryError);
      }
    }),
  );
});
