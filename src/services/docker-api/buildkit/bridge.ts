import { type Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { GantryError } from "#base/core/errors.ts";
import type { Random } from "#base/core/random.ts";
import { grpcFailure } from "./failure.ts";
import { wantedBy } from "./frontend.ts";
import type { Job, Jobs } from "./jobs.ts";
import type { LLBBridge } from "./protos/gateway.gen.ts";

/** The header that says which build a call belongs to. */
const buildId = "buildkit-controlapi-buildid";

const capabilities = ["solve.base", "return", "returnmap", "proto.refarray"];

/**
 * What a client calls that runs the frontend's part itself. A solve is only noted: what it gives is asked for by
 * returning it, and built then.
 */
export function bridge(jobs: Jobs, random: Random): ServiceImpl<typeof LLBBridge> {
  const jobOf = (context: HandlerContext): Promise<Job> =>
    jobs.find(context.requestHeader.get(buildId) ?? "", context.signal);
  return {
    ping: () => ({
      frontendApiCaps: capabilities.map((id) => ({ id, enabled: true })),
      llbCaps: [{ id: "source.local", enabled: true }],
    }),
    async solve({ frontend, frontendOpt, definition, frontendInputs }, context) {
      const job = await jobOf(context);
      try {
        if ((definition?.def.length ?? 0) > 0 || Object.keys(frontendInputs).length > 0) {
          throw new GantryError("unsupported", {
            doing: "build",
            because: "it is given as BuildKit's own graph (LLB), and this builder reads Dockerfiles",
            next: "Build from a Dockerfile and a local folder.",
          });
        }
        const id = random.hex(8);
        job.solves.set(id, wantedBy(frontend, frontendOpt));
        return { result: { result: { case: "ref", value: { id } } } };
      } catch (error) {
        throw grpcFailure(error);
      }
    },
    async return({ result, error }, context) {
      const job = await jobOf(context);
      if (error !== undefined) {
        job.returned.reject(new ConnectError(error.message, error.code as Code));
        return {};
      }
      const returned = result?.result;
      const id = returned?.case === "ref" ? returned.value.id : "";
      job.returned.resolve(job.solves.get(id));
      return {};
    },
    inputs: () => ({}),
  };
}
