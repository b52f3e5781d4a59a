import { GantryError } from "#base/core/errors.ts";
import type { Arg, Dockerfile, Instruction, Stage } from "./contract.ts";
import { parseInstruction } from "./instructions.ts";
import { InstructionLine } from "./line.ts";
import { placeError } from "./place.ts";
import { LineReader, parseDirectives, sourceLines } from "./source.ts";

interface OpenStage {
  readonly index: number;
  readonly name?: string;
  readonly from: Stage["from"];
  readonly instructions: Instruction[];
}

/**
 * Reads a Dockerfile. `file` is its name in errors. Throws `invalid` with the place for the first thing that is
 * wrong.
 */
export function parseDockerfile(bytes: Uint8Array | string, file: string): Dockerfile {
  const source = sourceLines(bytes, file);
  const directives = parseDirectives(source);
  const reader = new LineReader(source, directives.escape);
  const globals: Arg[] = [];
  const stages: OpenStage[] = [];
  for (let line = reader.read(); line !== undefined; line = reader.read()) {
    const at = new InstructionLine(source, line, directives.escape);
    const instruction = parseInstruction(at, reader);
    const stage = stages.at(-1);
    if (instruction.kind === "FROM") {
      const name = instruction.name?.text.toLowerCase();
      stages.push({
        index: stages.length,
        ...(name === undefined ? {} : { name }),
        from: instruction,
        instructions: [],
      });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === "ARG") globals.push(instruction);
    else {
      throw placeError(source, at.keywordRange, `${at.keyword} stands before the first FROM; only ARG may`, {
        next: "Start with FROM and the image to build on.",
      });
    }
  }
  if (stages.length === 0) {
    throw new GantryError("invalid", {
      doing: "read the Dockerfile",
      on: file,
      because: globals.length > 0 ? "it has no FROM" : "it is empty",
      next: "Start with FROM and the image to build on.",
    });
  }
  return { file, directives, globals, stages, lines: source.lines };
}

/** Reads an ONBUILD trigger of a base image's config as an instruction of the Dockerfile that uses it. */
export function parseTrigger(text: string, file: string, sign: "\\" | "`" = "\\"): Instruction {
  const source = sourceLines(text, file);
  const reader = new LineReader(source, sign);
  const line = reader.read();
  const instruction =
    line === undefined ? undefined : parseInstruction(new InstructionLine(source, line, sign), reader);
  if (instruction === undefined || instruction.kind === "FROM" || instruction.kind === "ONBUILD") {
    throw new GantryError("invalid", {
      doing: "run the ONBUILD trigger",
      on: text,
      because: `the image ${file} carries it and it cannot be a trigger`,
    });
  }
  return instruction;
}
