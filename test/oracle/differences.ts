/** Where Gantry answers otherwise than Docker, and why. docs/docker-api.md is made from these. */
export interface Difference {
  /** Names of cases it shows in; none where no case asks. */
  readonly cases: readonly string[];
  readonly what: string;
  readonly why: string;
}

export const differences: readonly Difference[] = [
  {
    cases: [],
    what: "ports are published on 127.0.0.1 unless an address is named",
    why: "what runs on a laptop is not for everybody in its network",
  },
  {
    cases: ["refused: attaching to what is not there"],
    what: "error bodies are always JSON and carry `kind` beside `message`; Docker's refusal of an attach is bare text",
    why: "one form for every client",
  },
  {
    cases: ["images: inspect and what is in it"],
    what: "image ids are digests of manifests, with a Descriptor and no DockerVersion",
    why: "as in Docker's containerd store: the id is what a registry knows",
  },
  {
    cases: ["refused: a create without an image"],
    what: "a container needs an image: 400 instead of 201",
    why: "one without has nothing to run",
  },
  {
    cases: ["refused: a mount at a relative path", "running: top with words ps does not know"],
    what: "what the caller asked wrongly is 400 where Docker says 500",
    why: "500 means that the engine failed",
  },
  {
    cases: ["refused: a bad device rule"],
    what: "a device rule is read when the container is created, Docker finds out at its start",
    why: "a refusal belongs to the request that caused it",
  },
  {
    cases: [
      "refused: a network named bridge",
      "running: unpausing one that is not paused",
      "networks: connect and disconnect while it runs, and one in use stays",
    ],
    what: "a state that forbids the verb is 409; Docker says 403 or 500 here",
    why: "one meaning for one status, as in Docker's other pages",
  },
  {
    cases: ["container: a program that is not there is refused at start, and shows in the state"],
    what: "a program that is not there is 404 and leaves the container exited; Docker says 400 and created",
    why: "the try was its run: it has a time and an exit code of 127",
  },
  {
    cases: ["container: one reading of stats has every part, and one of a stopped container zeros"],
    what: "stats always carry id, name, os_type, networks and failcnt",
    why: "the description has them; a reader need not ask whether they are there",
  },
  {
    cases: ["system: every field of version and info"],
    what: "info adds EnginePid, DataRoot and Socket, and has no Containerd",
    why: "`gantry doctor` reads them, and there is no containerd",
  },
  {
    cases: [],
    what: "names of containers and volumes may have one character; Docker wants two",
    why: "a letter is a name",
  },
  {
    cases: [],
    what: "a volume made again with other options is a conflict; Docker gives the old one in silence",
    why: "the options that were asked for would not be kept",
  },
  {
    cases: [],
    what: "logs: without options one file of 256 MiB that begins anew; several files are of 1 MiB at least, and `compress` keeps them as they are",
    why: "reading can begin anywhere",
  },
  {
    cases: [],
    what: "`cp` of a running container sees its tmpfs mounts too, and takes nothing from the kernel's own file systems",
    why: "it goes through the container's own mounts",
  },
  {
    cases: [],
    what: "a read-only bind is read-only all the way down, also where Docker would fall back in silence",
    why: "the kernels served all can",
  },
];
