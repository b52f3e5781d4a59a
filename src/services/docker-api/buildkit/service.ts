import type { Duplex } from "node:stream";
import { systemClock } from "#base/core/clock.ts";
import { systemRandom } from "#base/core/random.ts";
import type { Engine } from "#engine/contract.ts";
import type { Call } from "../contract.ts";
import { bridge } from "./bridge.ts";
import { control } from "./control.ts";
import { GrpcServer } from "./h2c.ts";
import { Jobs } from "./jobs.ts";
import { openSession } from "./open-session.ts";
import { Control } from "./protos/control.gen.ts";
import { LLBBridge } from "./protos/gateway.gen.ts";
import { OpenSessions } from "./sessions.ts";

/** What is behind the two connections of a client; each promise lasts as long as its connection. */
export class BuildkitService {
  readonly #sessions = new OpenSessions();
  readonly #server: GrpcServer;

  constructor(engine: Engine) {
    const jobs = new Jobs(systemClock);
    this.#server = new GrpcServer((router) => {
      router.service(Control, control(engine, this.#sessions, jobs));
      router.service(LLBBridge, bridge(jobs, systemRandom));
    });
  }

  /** The client calls the engine. */
  grpc(socket: Duplex): Promise<void> {
    return this.#server.serve(socket);
  }

  /** The engine calls the client. */
  session(socket: Duplex, headers: Call["headers"]): Promise<void> {
    return this.#sessions.hold(...openSession(socket, headers));
  }
}
