import { readFileSync } from "node:fs";
import { tarStream } from "#formats/tar/streams.ts";
import { tarEntry } from "#formats/tar/writer.ts";

const applets =
  "awk base64 cat chmod chown cp cut date dd df du echo env expr false find grep head hostname httpd id ip kill ln ls md5sum mkdir mknod mount mv nc nslookup od ping ps pwd readlink rm sed seq sh sha256sum sleep sort stat stty tail tar tee test touch tr true tty umount uname wc which whoami xargs yes".split(
    " ",
  );

/** A root file system of one static program and its names, the same bytes every time. */
export async function busyboxTar(): Promise<Uint8Array> {
  const busybox = readFileSync("/bin/busybox");
  const name = (text: string) => Buffer.from(text);
  const stream = tarStream(async (tar) => {
    for (const folder of ["bin", "etc", "root", "tmp", "var", "home"]) {
      await tar.entry(
        tarEntry({ name: name(`${folder}/`), type: "directory", mode: folder === "tmp" ? 0o1777 : 0o755 }),
      );
    }
    await tar.entry(tarEntry({ name: name("bin/busybox"), type: "file", mode: 0o755, size: busybox.length }), busybox);
    for (const applet of applets) {
      await tar.entry(tarEntry({ name: name(`bin/${applet}`), type: "symlink", linkName: name("busybox") }));
    }
    const files = {
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n",
      "etc/group": "root:x:0:\nuser:x:1000:\nstaff:x:50:user\n",
    };
    for (const [path, text] of Object.entries(files)) {
      await tar.entry(tarEntry({ name: name(path), type: "file", mode: 0o644, size: text.length }), Buffer.from(text));
    }
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
