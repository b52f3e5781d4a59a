import { serveTasks } from "#base/system/pool/serve.ts";
import { storeTasks } from "../bulk.ts";

serveTasks(storeTasks());
