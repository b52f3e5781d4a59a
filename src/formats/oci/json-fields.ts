import { GantryError } from "#base/core/errors.ts";

/** One JSON document being read: knows its name for errors and where in it we are. */
export class Fields {
  readonly #doing: string;
  readonly #path: string;
  readonly #object: Readonly<Record<string, unknown>>;

  private constructor(doing: string, path: string, object: Readonly<Record<string, unknown>>) {
    this.#doing = doing;
    this.#path = path;
    this.#object = object;
  }

  /** `bytes` as a JSON object. `doing` is the action for errors: "read the image manifest". Error "invalid". */
  static parse(bytes: Uint8Array, doing: string, limit: number): Fields {
    if (bytes.length > limit)
      throw new GantryError("invalid", { doing, because: `it has ${bytes.length} bytes, more than ${limit}` });
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new GantryError("invalid", { doing, because: "it is no JSON", cause });
    }
    if (!isObject(value)) throw new GantryError("invalid", { doing, because: "it is no JSON object" });
    return new Fields(doing, "", value);
  }

  refuse(because: string): never {
    throw new GantryError("invalid", { doing: this.#doing, because });
  }

  at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  /** Absent and null are the same: Go writes null for an empty slice or map. */
  #get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  #wrong(name: string, wanted: string): never {
    const value = this.#get(name);
    const got = value === undefined ? "missing" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
    return this.refuse(`${this.at(name)} is ${got}, not ${wanted}`);
  }

  string(name: string): string | undefined {
    const value = this.#get(name);
    return value === undefined || typeof value === "string" ? value : this.#wrong(name, "a text");
  }

  requiredString(name: string): string {
    return this.string(name) ?? this.#wrong(name, "a text");
  }

  boolean(name: string): boolean | undefined {
    const value = this.#get(name);
    return value === undefined || typeof value === "boolean" ? value : this.#wrong(name, "true or false");
  }

  /** A whole number that a double holds exactly. */
  integer(name: string): number | undefined {
    const value = this.#get(name);
    return value === undefined || Number.isSafeInteger(value)
      ? (value as number | undefined)
      : this.#wrong(name, "a whole number");
  }

  requiredInteger(name: string): number {
    return this.integer(name) ?? this.#wrong(name, "a whole number");
  }

  strings(name: string): readonly string[] | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    return Array.isArray(value) && value.every((item) => typeof item === "string")
      ? value
      : this.#wrong(name, "a list of texts");
  }

  textMap(name: string): Readonly<Record<string, string>> | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) this.#wrong(name, "a map of texts");
    if (!Object.values(value).every((item) => typeof item === "string")) this.#wrong(name, "a map of texts");
    return value as Record<string, string>;
  }

  /** A map used as a set, as Go's map[string]struct{}: only its keys count. */
  keySet(name: string): Readonly<Record<string, Record<string, never>>> | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) this.#wrong(name, "a map");
    return Object.fromEntries(Object.keys(value).map((key) => [key, {}]));
  }

  object(name: string): Fields | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) this.#wrong(name, "an object");
    return new Fields(this.#doing, this.at(name), value);
  }

  requiredObject(name: string): Fields {
    return this.object(name) ?? this.#wrong(name, "an object");
  }

  objects(name: string): Fields[] | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) this.#wrong(name, "a list");
    return value.map((item, index) => {
      if (!isObject(item)) this.refuse(`${this.at(name)}[${index}] is no object`);
      return new Fields(this.#doing, `${this.at(name)}[${index}]`, item);
    });
  }

  requiredObjects(name: string): Fields[] {
    return this.objects(name) ?? this.#wrong(name, "a list");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `object` without the properties that are undefined, as exactOptionalPropertyTypes wants it. */
export function compact<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}
