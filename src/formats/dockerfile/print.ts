import type { Dockerfile, Heredoc, Instruction } from "./contract.ts";

/** The file in its plainest form: one line an instruction, no comments. It reads back as the same tree. */
export function printDockerfile(dockerfile: Dockerfile): string {
  const { syntax, escape: sign, check } = dockerfile.directives;
  const lines: string[] = [];
  if (syntax !== undefined) lines.push(`# syntax=${syntax}`);
  if (sign !== "\\") lines.push(`# escape=${sign}`);
  if (check !== undefined) lines.push(`# check=${check}`);
  for (const arg of dockerfile.globals) lines.push(arg.text);
  for (const stage of dockerfile.stages) {
    lines.push(stage.from.text, ...stage.instructions.map(printInstruction));
  }
  return `${lines.join("\n")}\n`;
}

function printInstruction(instruction: Instruction): string {
  const carried = instruction.kind === "ONBUILD" ? instruction.trigger : instruction;
  const heredocs: readonly Heredoc[] = "heredocs" in carried ? carried.heredocs : [];
  return instruction.text + heredocs.map((heredoc) => `\n${heredoc.body}${heredoc.name}`).join("");
}
