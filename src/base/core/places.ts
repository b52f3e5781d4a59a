/** Where one engine keeps its things; client and engine must agree, so it is said here once. */
export interface Places {
  /** Images, names, volumes, logs. */
  readonly dataRoot: string;
  /** Sockets, pinned namespaces, bundles; gone after a reboot. */
  readonly runRoot: string;
  readonly socket: string;
  /** There as long as the engine is to be kept running where no systemd does that. */
  readonly supervised: string;
  /** There since somebody stopped the engine, until it is started. */
  readonly stopped: string;
}

/** GANTRY_DATA_ROOT and GANTRY_RUN_ROOT, else the system's folders for root, else the user's own. */
export function defaultPlaces(env: Readonly<Record<string, string | undefined>>, uid: number): Places {
  const dataRoot = env.GANTRY_DATA_ROOT || (uid === 0 ? "/var/lib/gantry" : `${dataHome(env)}/gantry`);
  const runRoot = env.GANTRY_RUN_ROOT || (uid === 0 ? "/run/gantry" : userRunRoot(env, uid));
  return {
    dataRoot,
    runRoot,
    socket: `${runRoot}/gantry.sock`,
    supervised: `${dataRoot}/supervised`,
    stopped: `${runRoot}/stopped`,
  };
}

function dataHome(env: Readonly<Record<string, string | undefined>>): string {
  return env.XDG_DATA_HOME || `${env.HOME || "/"}/.local/share`;
}

/** Without a session of systemd's nobody makes the user a run folder; /tmp is the one place left. */
function userRunRoot(env: Readonly<Record<string, string | undefined>>, uid: number): string {
  return env.XDG_RUNTIME_DIR ? `${env.XDG_RUNTIME_DIR}/gantry` : `/tmp/gantry-run-${uid}`;
}
