import { serveTasks } from "#base/system/pool/serve.ts";
import { bulkImplementations } from "#build/bulk.ts";
import { engineImplementations } from "#engine/copy/bulk.ts";
import { storeTasks } from "#images/store/bulk.ts";

serveTasks([...storeTasks(), ...bulkImplementations, ...engineImplementations]);
