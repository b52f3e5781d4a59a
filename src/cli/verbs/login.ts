import { GantryError } from "#base/core/errors.ts";
import type { Verb } from "../contract.ts";
import { keepCredentials, registryKey } from "../credentials.ts";
import { rawTerminal } from "../raw-terminal.ts";

interface Options {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

export const verb: Verb = {
  declare(command, run) {
    command
      .argument("[server]", "the registry, as registry.example.org:5000; docker.io when left out")
      .option("-u, --username <name>")
      .option("-p, --password <password>", "seen by every user of this machine; prefer --password-stdin")
      .option("--password-stdin", "read the password from standard input");
    command.action((server: string | undefined, options: Options) =>
      run(async (context) => {
        const username = options.username ?? (await ask(context.stderr.write.bind(context.stderr), "Username: ", true));
        const password =
          options.passwordStdin === true
            ? (await Bun.stdin.text()).replace(/\r?\n$/, "")
            : (options.password ?? (await ask(context.stderr.write.bind(context.stderr), "Password: ", false)));
        if (username === "" || password === "") {
          throw new GantryError("invalid", { doing: "log in", because: "name and password must not be empty" });
        }
        const client = await context.client();
        const { Status } = await client.request<{ Status: string }>("POST", "/auth", {
          json: { username, password, serveraddress: registryKey(server ?? "") },
        });
        const file = keepCredentials(context, server ?? "", { username, password });
        context.stderr.write(`The credentials are kept in ${file}, readable by you alone.\n`);
        context.stdout.write(`${Status}\n`);
        return undefined;
      }),
    );
  },
};

async function ask(write: (text: string) => void, question: string, echo: boolean): Promise<string> {
  if (process.stdin.isTTY !== true) {
    throw new GantryError("invalid", {
      doing: "log in",
      because: "there is no terminal to ask at",
      next: "Give --username and --password-stdin.",
    });
  }
  write(question);
  using _raw = echo ? undefined : rawTerminal();
  let text = "";
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    for (const letter of chunk.toString("utf8")) {
      if (letter === "\r" || letter === "\n") {
        write("\n");
        return text;
      }
      if (letter === "\x03") throw new GantryError("cancelled", { doing: "log in", because: "it was stopped" });
      if (letter === "\x7f") text = text.slice(0, -1);
      else text += letter;
    }
  }
  return text;
}
