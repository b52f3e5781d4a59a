import { ownFilesystemContext } from "#base/system/namespaces/thread.ts";
import { serveTasks } from "#base/system/pool/serve.ts";
import { lifecycleKernelTasks } from "#containers/lifecycle/kernel-tasks.ts";

ownFilesystemContext();
serveTasks([...lifecycleKernelTasks]);
