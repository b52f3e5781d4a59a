import { ownFilesystemContext } from "#base/system/namespaces/thread.ts";
import { serveTasks } from "#base/system/pool/serve.ts";
import { kernelImplementations } from "#build/kernel.ts";
import { lifecycleKernelTasks } from "#containers/lifecycle/kernel-tasks.ts";
import { networkKernelTasks } from "#containers/network/kernel-tasks.ts";

ownFilesystemContext();
serveTasks([...lifecycleKernelTasks, ...networkKernelTasks, ...kernelImplementations]);
