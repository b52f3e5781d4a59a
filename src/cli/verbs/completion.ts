import { GantryError } from "#base/core/errors.ts";
import { type Shell, scripts, shells } from "../completion-scripts.ts";
import type { Verb } from "../contract.ts";

export const verb: Verb = {
  declare(command, run) {
    command.argument("<shell>", shells.join(", ")).addHelpText(
      "after",
      `
bash:  gantry completion bash >/etc/bash_completion.d/gantry, or in ~/.bashrc: . <(gantry completion bash)
zsh:   gantry completion zsh >"\${fpath[1]}/_gantry"
fish:  gantry completion fish >~/.config/fish/completions/gantry.fish`,
    );
    command.action((shell: string) =>
      run(async (context) => {
        if (!shells.includes(shell as Shell)) {
          throw new GantryError("invalid", {
            doing: "print the completion script of",
            on: shell,
            because: "there is none",
            next: `Choose one of ${shells.join(", ")}.`,
            details: { usage: true },
          });
        }
        context.stdout.write(scripts[shell as Shell]);
        return undefined;
      }),
    );
  },
};
