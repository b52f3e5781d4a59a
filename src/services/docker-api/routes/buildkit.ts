import { systemClock } from "#base/core/clock.ts";
import { systemRandom } from "#base/core/random.ts";
import type { Engine } from "#engine/contract.ts";
import { bridge } from "../buildkit/bridge.ts";
import { control } from "../buildkit/control.ts";
import { GrpcServer } from "../buildkit/h2c.ts";
import { Jobs } from "../buildkit/jobs.ts";
import { openSession } from "../buildkit/open-session.ts";
import { Control } from "../buildkit/protos/control.gen.ts";
import { LLBBridge } from "../buildkit/protos/gateway.gen.ts";
import { OpenSessions } from "../buildkit/sessions.ts";
import type { Route } from "../contract.ts";

/** The two connections of a BuildKit client; see ../buildkit/contract.ts. */
export function buildkitRoutes(engine: Engine): Route[] {
  const sessions = new OpenSessions();
  const jobs = new Jobs(systemClock);
  const server = new GrpcServer((router) => {
    router.service(Control, control(engine, sessions, jobs));
    router.service(LLBBridge, bridge(jobs, systemRandom));
  });
  return [
    { method: "POST", path: "/grpc", handle: () => ({ h2c: (socket) => server.serve(socket) }) },
    {
      method: "POST",
      path: "/session",
      handle: ({ headers }) => ({ h2c: (socket) => sessions.hold(...openSession(socket, headers)) }),
    },
  ];
}
