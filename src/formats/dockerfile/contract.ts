/**
 * The Dockerfile as data: what {@link parseDockerfile} of `parse.ts` promises.
 *
 * Pure: bytes in, a tree or a GantryError out; no file, network or clock. Parsing expands nothing; a variable gets
 * its value from whoever evaluates the tree (`expand.ts`), for only then is it known. Every node carries the place
 * it came from, so that an error found much later (in a RUN, in a cache key) still names line and column.
 *
 * Errors: `invalid` for what the language does not allow, with details {@link PlaceDetails}. Nothing else is thrown.
 */

/** A place in the file: both from 1; a column counts UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From `start` up to, not including, `end`. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** What an error of this room carries in `details`. */
export interface PlaceDetails {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source line with a caret below the place. */
  readonly excerpt: string;
  /** The nearest known name, when a name was not known. */
  readonly nearest?: string;
}

/** A piece of an instruction as written: quotes, escapes and variables still in it. */
export interface Word {
  readonly text: string;
  readonly range: Range;
}

/** `name=value`; `value` is missing in `ARG name`. */
export interface KeyValue {
  readonly name: Word;
  readonly value?: Word;
}

/** `<<EOF` up to the line `EOF`. */
export interface Heredoc {
  readonly name: string;
  /** False for `<<"EOF"`: the body is taken as it is. */
  readonly expand: boolean;
  /** True for `<<-EOF`: leading tabs are no part of the body. */
  readonly chomp: boolean;
  /** The file descriptor before `<<`, when one was written. */
  readonly descriptor?: number;
  /** The body with its line ends, tabs still in it. */
  readonly body: string;
  /** From the first line of the body to the line that ends it. */
  readonly range: Range;
}

/** `--name`, `--name=value`. A flag without a value has none. */
export interface Flag {
  readonly name: string;
  readonly value?: string;
  readonly range: Range;
}

/** What RUN, CMD, ENTRYPOINT and HEALTHCHECK CMD carry. */
export type Command =
  | { readonly form: "shell"; readonly line: string }
  | { readonly form: "exec"; readonly words: readonly string[] };

interface Common {
  readonly range: Range;
  /** The instruction as one logical line, continuations joined, comments dropped, without its heredocs. */
  readonly text: string;
  readonly flags: readonly Flag[];
}

export interface From extends Common {
  readonly kind: "FROM";
  readonly image: Word;
  readonly platform?: string;
  readonly name?: Word;
}
export interface Run extends Common {
  readonly kind: "RUN";
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly Mount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  readonly devices: readonly Flag[];
}
export interface Copy extends Common {
  readonly kind: "COPY";
  readonly sources: readonly Word[];
  readonly destination: Word;
  readonly heredocs: readonly Heredoc[];
  /** A stage, an image, or a named context; missing = the build context. */
  readonly from?: Flag;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
}
export interface Add extends Common {
  readonly kind: "ADD";
  readonly sources: readonly Word[];
  readonly destination: Word;
  readonly heredocs: readonly Heredoc[];
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly checksum?: string;
  readonly keepGitDir: boolean;
  /** Missing = archives of the context are unpacked, downloads are not. */
  readonly unpack?: boolean;
}
export interface Env extends Common {
  readonly kind: "ENV";
  readonly pairs: readonly KeyValue[];
}
export interface Label extends Common {
  readonly kind: "LABEL";
  readonly pairs: readonly KeyValue[];
}
export interface Arg extends Common {
  readonly kind: "ARG";
  readonly pairs: readonly KeyValue[];
}
export interface CommandInstruction extends Common {
  readonly kind: "CMD" | "ENTRYPOINT";
  readonly command: Command;
}
export interface Shell extends Common {
  readonly kind: "SHELL";
  readonly words: readonly string[];
}
export interface Workdir extends Common {
  readonly kind: "WORKDIR";
  readonly value: Word;
}
/** One word that is expanded as a whole. */
export interface Single extends Common {
  readonly kind: "USER" | "STOPSIGNAL" | "MAINTAINER";
  readonly value: Word;
}
export interface Several extends Common {
  readonly kind: "EXPOSE" | "VOLUME";
  readonly values: readonly Word[];
}
export interface Healthcheck extends Common {
  readonly kind: "HEALTHCHECK";
  /** Missing = HEALTHCHECK NONE. */
  readonly command?: Command;
  /** Nanoseconds; 0 = the default. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}
export interface Onbuild extends Common {
  readonly kind: "ONBUILD";
  readonly trigger: Instruction;
  /** The trigger as it goes into the image's config; heredocs are in it. */
  readonly triggerText: string;
}

export type Instruction =
  | Run
  | Copy
  | Add
  | Env
  | Label
  | Arg
  | CommandInstruction
  | Shell
  | Workdir
  | Single
  | Several
  | Healthcheck
  | Onbuild;

/** `RUN --mount=...`: keys as written, aliases resolved (src, dst, destination, ro, rw). */
export interface Mount {
  readonly type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  readonly target?: string;
  readonly source?: string;
  readonly from?: string;
  readonly id?: string;
  readonly readonly?: boolean;
  readonly required: boolean;
  readonly sharing: "shared" | "private" | "locked";
  /** The environment variable a secret is given in. */
  readonly env?: string;
  readonly mode?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly size?: string;
  readonly range: Range;
}

export interface Stage {
  readonly index: number;
  /** Lower case, as stages are compared. */
  readonly name?: string;
  readonly from: From;
  readonly instructions: readonly Instruction[];
}

export interface Directives {
  /** `# syntax=`: kept, never pulled. */
  readonly syntax?: string;
  readonly escape: "\\" | "`";
  readonly check?: string;
}

export interface Dockerfile {
  /** As the user named it; opens every error. */
  readonly file: string;
  readonly directives: Directives;
  /** ARGs before the first FROM: visible in FROM lines and to an `ARG name` of a stage. */
  readonly globals: readonly Arg[];
  /** At least one. */
  readonly stages: readonly Stage[];
  /** The source's lines, for excerpts. */
  readonly lines: readonly string[];
}
