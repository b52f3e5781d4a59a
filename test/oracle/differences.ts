/** Where Gantry answers otherwise than Docker, and why. docs/docker-api.md tells them. */
export interface Difference {
  /** Names of cases it shows in; none where no case asks. */
  readonly cases: readonly string[];
  readonly what: string;
  readonly why: string;
}

export const differences: readonly Difference[] = [
  {
    cases: [],
    what: "ports are published on 127.0.0.1",
    why: "unless an address is named: a laptop's containers are not the network's",
  },
  { cases: [], what: "error bodies carry `kind` beside `message`", why: "so that Gantry's own client loses nothing" },
];
