import type { Verb } from "./contract.ts";

/** Every verb with its one line of help; its module is loaded only when it is called. */
export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly verb: Verb }>;
}

export const verbs: readonly VerbEntry[] = [
  { name: "run", summary: "Create a container from an image and start it", load: () => import("./verbs/run.ts") },
  { name: "create", summary: "Create a container without starting it", load: () => import("./verbs/create.ts") },
  { name: "start", summary: "Start containers", load: () => import("./verbs/start.ts") },
  { name: "exec", summary: "Run a program in a running container", load: () => import("./verbs/exec.ts") },
  { name: "execs", summary: "Show, stop and signal programs started by exec", load: () => import("./verbs/execs.ts") },
  {
    name: "update",
    summary: "Change limits and restart policy of containers",
    load: () => import("./verbs/update.ts"),
  },
  { name: "attach", summary: "Join the streams of a running container", load: () => import("./verbs/attach.ts") },
  { name: "ps", summary: "List containers", load: () => import("./verbs/ps.ts") },
  { name: "logs", summary: "Show what a container wrote", load: () => import("./verbs/logs.ts") },
  { name: "stop", summary: "Stop containers: the stop signal, then SIGKILL", load: () => import("./verbs/stop.ts") },
  { name: "restart", summary: "Stop containers and start them again", load: () => import("./verbs/restart.ts") },
  { name: "kill", summary: "Send a signal to containers", load: () => import("./verbs/kill.ts") },
  { name: "pause", summary: "Freeze all processes of containers", load: () => import("./verbs/pause.ts") },
  { name: "unpause", summary: "Thaw frozen containers", load: () => import("./verbs/unpause.ts") },
  { name: "rm", summary: "Remove containers", load: () => import("./verbs/rm.ts") },
  {
    name: "wait",
    summary: "Wait until containers end and print their exit codes",
    load: () => import("./verbs/wait.ts"),
  },
  { name: "rename", summary: "Give a container another name", load: () => import("./verbs/rename.ts") },
  {
    name: "inspect",
    summary: "Show all that is known of containers or images",
    load: () => import("./verbs/inspect.ts"),
  },
  { name: "top", summary: "Show the processes of a container", load: () => import("./verbs/top.ts") },
  { name: "stats", summary: "Show what containers use", load: () => import("./verbs/stats.ts") },
  { name: "diff", summary: "Show which files of a container changed", load: () => import("./verbs/diff.ts") },
  { name: "port", summary: "Show the published ports of a container", load: () => import("./verbs/port.ts") },
  {
    name: "publish",
    summary: "Publish ports of a container, also while it runs",
    load: () => import("./verbs/publish.ts"),
  },
  {
    name: "unpublish",
    summary: "Take published ports back, also while it runs",
    load: () => import("./verbs/unpublish.ts"),
  },
  {
    name: "mount",
    summary: "Mount folders and volumes into a container, also while it runs",
    load: () => import("./verbs/mount.ts"),
  },
  {
    name: "unmount",
    summary: "Take a mount of a container away, also while it runs",
    load: () => import("./verbs/unmount.ts"),
  },
  {
    name: "recreate",
    summary: "Print the command or compose file that makes a container again",
    load: () => import("./verbs/recreate.ts"),
  },
  { name: "cp", summary: "Copy files between a container and the host", load: () => import("./verbs/cp.ts") },
  {
    name: "build",
    summary: "Build an image from a Dockerfile, the same bits every time",
    load: () => import("./verbs/build.ts"),
  },
  {
    name: "init",
    summary: "Write a Dockerfile for a folder that builds at once",
    load: () => import("./verbs/init.ts"),
  },
  { name: "images", summary: "List images", load: () => import("./verbs/images.ts") },
  { name: "history", summary: "Show the layers of an image", load: () => import("./verbs/history.ts") },
  { name: "pull", summary: "Get an image from a registry", load: () => import("./verbs/pull.ts") },
  { name: "push", summary: "Send an image to a registry", load: () => import("./verbs/push.ts") },
  { name: "tag", summary: "Give an image another name", load: () => import("./verbs/tag.ts") },
  { name: "rmi", summary: "Remove images", load: () => import("./verbs/rmi.ts") },
  { name: "load", summary: "Read images from an archive", load: () => import("./verbs/load.ts") },
  { name: "save", summary: "Write images to an archive", load: () => import("./verbs/save.ts") },
  { name: "import", summary: "Make an image from a root file system's tar", load: () => import("./verbs/import.ts") },
  {
    name: "bootstrap",
    summary: "Make a base image from this machine's Debian packages",
    load: () => import("./verbs/bootstrap.ts"),
  },
  { name: "registry", summary: "Serve images to others", load: () => import("./verbs/registry.ts") },
  { name: "login", summary: "Keep credentials for a registry", load: () => import("./verbs/login.ts") },
  { name: "logout", summary: "Forget credentials for a registry", load: () => import("./verbs/logout.ts") },
  { name: "network", summary: "Manage networks", load: () => import("./verbs/network.ts") },
  { name: "volume", summary: "Manage volumes", load: () => import("./verbs/volume.ts") },
  { name: "prune", summary: "Remove what nothing uses", load: () => import("./verbs/prune.ts") },
  { name: "events", summary: "Show what happens as it happens", load: () => import("./verbs/events.ts") },
  { name: "check", summary: "Look for damage in the store, and repair it", load: () => import("./verbs/check.ts") },
  { name: "info", summary: "Show facts of the engine", load: () => import("./verbs/info.ts") },
  { name: "version", summary: "Show the versions of program and engine", load: () => import("./verbs/version.ts") },
  { name: "doctor", summary: "Look for what is missing on this machine", load: () => import("./verbs/doctor.ts") },
  {
    name: "dial-stdio",
    summary: "Join this terminal's bytes to the engine's socket",
    load: () => import("./verbs/dial-stdio.ts"),
  },
  { name: "engine", summary: "Start, stop and install the engine", load: () => import("./verbs/engine.ts") },
  {
    name: "completion",
    summary: "Print the completion script of a shell",
    load: () => import("./verbs/completion.ts"),
  },
];

/** Docker's grouped spellings: `gantry container ls` is `gantry ps`; several words stand for one. */
export const groups: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  container: {
    ...same(
      "run",
      "create",
      "start",
      "exec",
      "execs",
      "update",
      "attach",
      "ps",
      "logs",
      "stop",
      "restart",
      "kill",
      "pause",
      "unpause",
    ),
    ...same(
      "rm",
      "wait",
      "rename",
      "inspect",
      "top",
      "stats",
      "diff",
      "port",
      "publish",
      "unpublish",
      "mount",
      "unmount",
      "recreate",
      "cp",
    ),
    ls: ["ps"],
    list: ["ps"],
    prune: ["prune", "containers"],
  },
  image: {
    ...same("build", "history", "inspect", "pull", "push", "tag", "load", "save", "import"),
    ls: ["images"],
    list: ["images"],
    rm: ["rmi"],
    prune: ["prune", "images"],
  },
  system: same("info", "prune", "events", "dial-stdio"),
  builder: { build: ["build"], prune: ["prune", "cache"] },
};

function same(...names: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(names.map((name) => [name, [name]]));
}
