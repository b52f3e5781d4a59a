import { expect, test } from "bun:test";
import { openBuildScene } from "./testing/scene.ts";

test("RUN, COPY, metadata: what is built runs over what was built before", async () => {
  await using scene = await openBuildScene();
  await scene.plantBusybox();
  const built = await scene.build(
    `FROM busybox
ARG GREETING=hello
ENV NAME="the world"
WORKDIR /srv/app
COPY a.txt sub/ ./
RUN echo "$GREETING $NAME" > greeting && cat a.txt b.txt greeting && pwd && id -u
`,
    { "a.txt": "from a\n", "sub/b.txt": "from b\n" },
  );
  expect(built.output).toBe("from a\nfrom b\nhello the world\n/srv/app\n0\n");
  expect(built.config.config?.WorkingDir).toBe("/srv/app");
  expect(built.layers).toHaveLength(4);
});
