/**
 * One build, dying at the write whose number is given: `kill-scenario.ts FOLDER N [DOCKERFILE]`; 0 lets it finish. It
 * stays in its caller's mounts, as an engine stays in the Holder's, so that what it leaves mounted is there afterwards.
 */
import { type Faults, killAtWrite, noFaults } from "#base/core/faults.ts";
import { openBuildScene } from "./scene.ts";

export const dockerfile = `FROM busybox AS one
WORKDIR /w
COPY a /w/
RUN cat a > b
FROM busybox
COPY --from=one /w /w
RUN echo done > /done
`;

if (import.meta.main) {
  const [folder, nth, text = dockerfile] = process.argv.slice(2);
  let armed: Faults = noFaults;
  let count = 0;
  const faults: Faults = {
    at(point) {
      if (armed !== noFaults) count += 1;
      armed.at(point);
    },
  };
  await using scene = await openBuildScene({ folder: folder!, faults, inline: true, keep: true, ownMounts: false });
  if (scene.store.images.list().length === 0) await scene.plantBusybox();
  armed = killAtWrite(nth === "0" ? Number.POSITIVE_INFINITY : Number(nth));
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const built = await scene.build(
    text,
    { a: "a" },
    { names: ["docker.io/library/built:latest"] },
    undefined,
    (event) => {
      if (event.type === "log") say(`log ${Buffer.from(event.bytes).toString().trim()}`);
    },
  );
  say(JSON.stringify({ count, digest: built.manifest.digest }));
}
