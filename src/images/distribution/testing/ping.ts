/** `ping.ts DOMAIN`: asks the registry there for its base page, says "fine" or why not. For tests of the environment. */
import { describe } from "#base/core/errors.ts";
import { HastyClock, repositoryAt } from "./servers.ts";

const said = await repositoryAt(process.argv[2]!, { clock: new HastyClock() })
  .ping()
  .then(() => "fine", describe);
process.stdout.write(`${said}\n`);
process.exit(0);
