import { serveTasks } from "#base/system/pool/serve.ts";

serveTasks([]);
