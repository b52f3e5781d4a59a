import type { GantryError } from "#base/core/errors.ts";
import type { Dockerfile, Range, Word } from "#formats/dockerfile/contract.ts";
import { ExpansionError, expandHeredoc, expandWord, expandWords, type Lookup } from "#formats/dockerfile/expand.ts";
import { placeError } from "#formats/dockerfile/place.ts";

/** Says things about places of one Dockerfile, and expands words so that what goes wrong has its place. */
export class Places {
  readonly #dockerfile: Dockerfile;

  constructor(dockerfile: Dockerfile) {
    this.#dockerfile = dockerfile;
  }

  get file(): string {
    return this.#dockerfile.file;
  }

  /** "Cannot build the Dockerfile "x": line 3, column 1: because". */
  wrong(range: Range, because: string, next?: string, kind?: "invalid" | "unsupported" | "not-found"): GantryError {
    return placeError(this.#dockerfile, range, because, {
      doing: "build the Dockerfile",
      ...(next === undefined ? {} : { next }),
      ...(kind === undefined ? {} : { kind }),
    });
  }

  word(word: Word, lookup: Lookup): string {
    return this.text(word.text, word.range, lookup);
  }

  text(text: string, range: Range, lookup: Lookup): string {
    return this.#placed(range, () => expandWord(text, lookup, this.#dockerfile.directives.escape));
  }

  words(word: Word, lookup: Lookup): string[] {
    return this.#placed(word.range, () => expandWords(word.text, lookup, this.#dockerfile.directives.escape));
  }

  heredoc(text: string, range: Range, lookup: Lookup): string {
    return this.#placed(range, () => expandHeredoc(text, lookup, this.#dockerfile.directives.escape));
  }

  #placed<T>(range: Range, expand: () => T): T {
    try {
      return expand();
    } catch (error) {
      if (error instanceof ExpansionError) throw this.wrong(range, error.message);
      throw error;
    }
  }
}
