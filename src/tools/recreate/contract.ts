/**
 * The command or the compose file that makes a container again, from what the engine tells of it. What the image says
 * itself is left out; names the engine made up are too.
 */
import type { ContainerInspect } from "#formats/docker/container.ts";

/** What an image sets by itself. */
export interface ImageDefaults {
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly StopSignal?: string;
  readonly Healthcheck?: object | null;
  readonly Volumes?: Readonly<Record<string, unknown>> | null;
}

export interface RecreateInput {
  readonly container: ContainerInspect;
  /** Absent when the image is gone: then nothing is left out. */
  readonly image?: ImageDefaults;
}
