/** The builder's work in `bulk` Workers. Only a Worker loads this file. */
import { implement } from "#base/system/pool/contract.ts";
import { copyAll } from "./copy-sources.ts";
import { Destination } from "./destination.ts";
import { digestOfSources } from "./digest-sources.ts";
import { normalise } from "./normalise.ts";
import { copySources, digestSources, makeFolder, normaliseUpper } from "./tasks.ts";

export const bulkImplementations = [
  implement(normaliseUpper, normalise),
  implement(digestSources, digestOfSources),
  implement(copySources, copyAll),
  implement(makeFolder, ({ target, path, layerTime }) => {
    using destination = new Destination(target, layerTime);
    destination.folder(Buffer.from(path))[Symbol.dispose]();
    return null;
  }),
];
