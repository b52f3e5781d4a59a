import { ownFilesystemContext } from "#base/system/namespaces/thread.ts";
import { serveTasks } from "#base/system/pool/serve.ts";

ownFilesystemContext();
serveTasks([]);
