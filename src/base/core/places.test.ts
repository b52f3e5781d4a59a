import { expect, test } from "bun:test";
import { defaultPlaces } from "./places.ts";

test("root has the system's folders, everybody else their own", () => {
  expect(defaultPlaces({ HOME: "/root" }, 0)).toEqual({
    dataRoot: "/var/lib/gantry",
    runRoot: "/run/gantry",
    socket: "/run/gantry/gantry.sock",
    supervised: "/var/lib/gantry/supervised",
    stopped: "/run/gantry/stopped",
  });
  expect(defaultPlaces({ HOME: "/home/ann", XDG_RUNTIME_DIR: "/run/user/1001" }, 1001)).toEqual({
    dataRoot: "/home/ann/.local/share/gantry",
    runRoot: "/run/user/1001/gantry",
    socket: "/run/user/1001/gantry/gantry.sock",
    supervised: "/home/ann/.local/share/gantry/supervised",
    stopped: "/run/user/1001/gantry/stopped",
  });
});

test("without a session's run folder a user's is in /tmp", () => {
  const { runRoot, dataRoot } = defaultPlaces(
    { HOME: "/home/ann", XDG_DATA_HOME: "/data/ann", XDG_RUNTIME_DIR: "" },
    7,
  );
  expect([runRoot, dataRoot]).toEqual(["/tmp/gantry-run-7", "/data/ann/gantry"]);
});
