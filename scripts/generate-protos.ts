/** Makes the TypeScript of the .proto files beside them: `scripts/bun scripts/generate-protos.ts`. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const protos = join(root, "src/services/docker-api/buildkit/protos");
const out = mkdtempSync(join(tmpdir(), "protos-"));
const plugin = join(root, "node_modules/.bin/protoc-gen-es");
const template = { version: "v2", plugins: [{ local: plugin, out, opt: ["target=ts"] }] };
const child = Bun.spawn(
  [join(root, "node_modules/.bin/buf"), "generate", protos, "--template", JSON.stringify(template)],
  {
    stdout: "inherit",
    stderr: "inherit",
  },
);
if ((await child.exited) !== 0) process.exit(1);
for (const name of readdirSync(out)) {
  await Bun.write(join(protos, name.replace("_pb.ts", ".gen.ts")), Bun.file(join(out, name)));
}
rmSync(out, { recursive: true });
