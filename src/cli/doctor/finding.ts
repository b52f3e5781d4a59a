/** One line of `gantry doctor`. */
export interface Finding {
  /** "crun", "cgroups": one word or two, the same every time. */
  readonly subject: string;
  /** `missing`: something needed is not there. `warning`: it works, but not all of it or not for long. */
  readonly state: "ok" | "warning" | "missing";
  /** What was found, a clause without a full stop. */
  readonly found: string;
  /** The command that mends it, or a sentence when no command does. */
  readonly remedy?: string;
}

export function ok(subject: string, found: string): Finding {
  return { subject, state: "ok", found };
}

export function warning(subject: string, found: string, remedy?: string): Finding {
  return { subject, state: "warning", found, ...(remedy === undefined ? {} : { remedy }) };
}

export function missing(subject: string, found: string, remedy: string): Finding {
  return { subject, state: "missing", found, remedy };
}
