/** Bodies of Gantry's own pages, below /gantry/v1. */
export interface SecretBody {
  readonly ID?: string;
  /** Base64. */
  readonly Data?: string;
  /** Default: /run/secrets/<ID>. */
  readonly Target?: string;
  /** Default 0400. */
  readonly Mode?: number;
  readonly UID?: number;
  readonly GID?: number;
}
