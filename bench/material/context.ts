import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dockerfile = `FROM busybox
WORKDIR /app
COPY data /app/data
RUN cat data/* | sha256sum > sum
COPY main.txt /app/
RUN sort main.txt > sorted
RUN wc -c main.txt sorted > size
ENV MODE=bench
CMD ["cat", "/app/sum"]
`;

/** A small build context: 100 files of 10 kB that stay, and main.txt that an edit changes. Needs no network. */
export function writeContext(folder: string, base: string): void {
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), dockerfile.replace("busybox", base));
  for (let i = 0; i < 100; i++) writeFileSync(join(folder, "data", `${i}.txt`), `line ${i}\n`.repeat(1250));
  changeOneLine(folder, "first");
}

export function changeOneLine(folder: string, line: string): void {
  writeFileSync(join(folder, "main.txt"), `one\ntwo\n${line}\nthree\n`);
}
