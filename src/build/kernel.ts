/** The builder's work in `kernel` Workers. Only a Worker loads this file. */
import { changeThreadFolder, mount, unmount } from "#base/system/mounts/mount.ts";
import { implement } from "#base/system/pool/contract.ts";
import { mountRoot, unmountRoot } from "./tasks.ts";

export const kernelImplementations = [
  implement(mountRoot, ({ data, target, bottom }) => {
    // Short relative names keep the option string below a page, whatever the number of layers.
    changeThreadFolder(data.cwd);
    try {
      mount({ source: "overlay", target, type: "overlay", data: withBottom(data.options, bottom) });
    } finally {
      changeThreadFolder("/");
    }
    return null;
  }),
  implement(unmountRoot, ({ target }) => {
    // A process that just died may hold it for a moment more; nobody new can come in.
    unmount(target, { lazy: true });
    return null;
  }),
];

function withBottom(options: string, bottom: string | undefined): string {
  if (bottom === undefined) return options;
  if (/(?:^|,)lowerdir=/.test(options)) return options.replace(/((?:^|,)lowerdir=[^,]+)/, `$1:${bottom}`);
  return `lowerdir=${bottom},${options}`;
}
