import type { Arg, Dockerfile } from "#formats/dockerfile/contract.ts";
import type { Lookup } from "#formats/dockerfile/expand.ts";
import type { Platform } from "#formats/oci/contract.ts";
import { formatPlatform } from "#formats/oci/platform.ts";
import type { Places } from "./places.ts";

/** May be given without an ARG; go into RUN's environment, never into history or cache key. */
const proxyNames = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

/** Read by the builder itself; they need no ARG. */
const ownNames = ["SOURCE_DATE_EPOCH"];

/** ARGs that exist without being given: where it is built and for what. */
export function platformArgs(target: Platform, builder: Platform): Record<string, string> {
  const of = (prefix: string, platform: Platform) => ({
    [`${prefix}PLATFORM`]: formatPlatform(platform),
    [`${prefix}OS`]: platform.os,
    [`${prefix}ARCH`]: platform.architecture,
    [`${prefix}VARIANT`]: platform.variant ?? "",
  });
  return { ...of("TARGET", target), ...of("BUILD", builder) };
}

/** The ARGs before the first FROM, with what the user gave and what the platform says. */
export class GlobalArgs {
  readonly #values = new Map<string, string>();
  readonly #given: Readonly<Record<string, string>>;
  readonly #platform: Readonly<Record<string, string>>;
  readonly #declared = new Set<string>();

  constructor(
    dockerfile: Dockerfile,
    given: Readonly<Record<string, string>>,
    platform: Readonly<Record<string, string>>,
    places: Places,
  ) {
    this.#given = given;
    this.#platform = platform;
    for (const arg of dockerfile.globals) {
      for (const pair of arg.pairs) {
        const name = places.word(pair.name, this.lookup);
        this.#declared.add(name);
        const value = own(given, name) ?? (pair.value === undefined ? undefined : places.word(pair.value, this.lookup));
        if (value !== undefined) this.#values.set(name, value);
      }
    }
  }

  /** For FROM lines and for defaults of later global ARGs. */
  readonly lookup: Lookup = (name) =>
    this.#values.get(name) ?? own(this.#given, name, this.#platform) ?? own(this.#platform, name);

  /** What an `ARG name` without a default gets in a stage. */
  inherited(name: string): string | undefined {
    return this.#values.get(name) ?? own(this.#platform, name);
  }

  given(name: string): string | undefined {
    this.#declared.add(name);
    return own(this.#given, name);
  }

  /** Proxy settings the user gave, for RUN. */
  proxies(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const name of proxyNames) {
      const value = own(this.#given, name);
      if (value !== undefined) found[name] = value;
    }
    return found;
  }

  /** Names that were given and that no ARG of what was built asked for. */
  unused(): string[] {
    const known = new Set([...this.#declared, ...proxyNames, ...ownNames]);
    return Object.keys(this.#given)
      .filter((name) => !known.has(name) && !name.startsWith("BUILDKIT_"))
      .sort();
  }
}

/** The variables of one stage as its instructions go by. ENV wins over an ARG of the same name. */
export class StageVariables {
  readonly env: Map<string, string>;
  readonly args: Map<string, string>;

  constructor(env: ReadonlyMap<string, string>, args: ReadonlyMap<string, string> = new Map()) {
    this.env = new Map(env);
    this.args = new Map(args);
  }

  readonly lookup: Lookup = (name) => this.env.get(name) ?? this.args.get(name);

  declare(arg: Arg, globals: GlobalArgs, places: Places): void {
    for (const pair of arg.pairs) {
      const name = places.word(pair.name, this.lookup);
      const given = globals.given(name);
      const value =
        given ?? (pair.value === undefined ? globals.inherited(name) : places.word(pair.value, this.lookup));
      if (value !== undefined) this.args.set(name, value);
    }
  }

  /** What RUN sees of image and ARGs, sorted by name: the order is no input. */
  environment(): Record<string, string> {
    const all = { ...Object.fromEntries(this.args), ...Object.fromEntries(this.env) };
    return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function own(
  record: Readonly<Record<string, string>>,
  name: string,
  among?: Readonly<Record<string, string>>,
): string | undefined {
  if (among !== undefined && !Object.hasOwn(among, name)) return undefined;
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
