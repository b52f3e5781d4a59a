import { GantryError } from "#base/core/errors.ts";
import { moreIds } from "#base/system/files/owner.ts";

/**
 * crun's last word as an error: a program or folder that is not there is the user's to mend, all else is told in
 * crun's own words.
 */
export function crunError(doing: string, on: string, text: string): GantryError {
  const words = plainWords(text);
  if (
    /executable file .* not found|(open executable|exec ).*(No such file)|No such file or directory.*exec/i.test(words)
  ) {
    // In these words, which docker's clients look for to end with 127.
    const program = /executable file "([^"]*)"/i.exec(words)?.[1] ?? /exec "?([^":]+)"?:/i.exec(words)?.[1];
    return new GantryError("not-found", {
      doing,
      on,
      because:
        program === undefined
          ? words.replace("No such", "no such")
          : `exec: "${program}": executable file not found in $PATH`,
      next: "Check the program's name, and that the image has it.",
      details: { exitCode: 127 },
    });
  }
  if (
    /(open executable|exec ).*(Permission denied|Operation not permitted)|Exec format error|is not executable/i.test(
      words,
    )
  ) {
    // "permission denied" makes docker's clients end with 126.
    const because = words.replace(/Permission denied|Operation not permitted|$/, (found) =>
      found === "" ? ": permission denied" : "permission denied",
    );
    return new GantryError("invalid", { doing, on, because, details: { exitCode: 126 } });
  }
  const id = /cannot setres([ug])id to (\d+): Invalid argument/.exec(words);
  if (id !== null) {
    const because = `this user's engine has no ${id[1] === "u" ? "user" : "group"} ${id[2]} to give`;
    return new GantryError("unsupported", { doing, on, because, next: moreIds, details: { exitCode: 126 } });
  }
  return new GantryError("internal", { doing, on, because: words || "the runtime gave no reason" });
}

/** crun's message without its time and level. */
export function plainWords(text: string): string {
  const line = text
    .split("\n")
    .map((part) =>
      part.replace(/^\S+Z?:? ?\[?(error|warning)?\]?:? ?/i, (head) => (/error|warn|\d{4}-/.test(head) ? "" : head)),
    )
    .filter((part) => part.trim() !== "")
    .at(-1);
  return (line ?? "").replaceAll("`", '"').replaceAll("'", '"').trim();
}
