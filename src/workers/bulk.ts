import { ownFilesystemContext } from "#base/system/namespaces/thread.ts";
import { serveTasks } from "#base/system/pool/serve.ts";
import { bulkImplementations } from "#build/bulk.ts";
import { engineImplementations } from "#engine/copy/bulk.ts";
import { storeTasks } from "#images/store/bulk.ts";

// A umask that changes elsewhere in the process must not reach what a layer is unpacked with.
ownFilesystemContext();
serveTasks([...storeTasks(), ...bulkImplementations, ...engineImplementations]);
