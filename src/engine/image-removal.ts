import { GantryError, isKind } from "#base/core/errors.ts";
import type { ContainerRecord, Containers } from "#containers/lifecycle/contract.ts";
import { canonicalReference, familiarReference, parseReference, withDefaultTag } from "#formats/oci/reference.ts";
import type { ImageRecord, Store } from "#images/store/contract.ts";
import type { EventLog } from "./contract.ts";

interface Removed {
  readonly untagged?: string;
  readonly deleted?: string;
}

/** `rmi` and `image prune`: names first, the image with its last name, content when nothing needs it any more. */
export class ImageRemoval {
  readonly #store: Store;
  readonly #containers: Containers;
  readonly #events: EventLog;

  constructor(store: Store, containers: Containers, events: EventLog) {
    this.#store = store;
    this.#containers = containers;
    this.#events = events;
  }

  /** By a name: that name goes, the image with it when it was the last. By an id: all of it. */
  async remove(text: string, force: boolean): Promise<readonly Removed[]> {
    const record = this.#store.images.resolve(text);
    const name = nameOf(record, text);
    const removed: Removed[] = [];
    if (name !== undefined && record.names.length > 1) removed.push(this.#untag(record, name));
    else {
      if (name === undefined && record.names.length > 1 && !force) {
        throw new GantryError("conflict", {
          doing: "remove the image",
          on: text,
          because: `it has several names (${record.names.map((item) => familiarReference(parseReference(item))).join(", ")})`,
          next: "Remove the names one by one, or use --force.",
        });
      }
      this.#refuseUsed(record, text, force);
      for (const each of record.names) removed.push(this.#untag(record, each));
      removed.push(...this.#drop(record));
    }
    await this.#store.collect();
    return removed;
  }

  async prune(
    all: boolean,
    wanted: (image: ImageRecord) => boolean = () => true,
  ): Promise<{ removed: readonly Removed[]; bytes: number }> {
    const removed: Removed[] = [];
    for (const record of this.#store.images.list()) {
      if (this.#users(record).length > 0 || (!all && record.names.length > 0) || !wanted(record)) continue;
      try {
        for (const name of record.names) removed.push(this.#untag(record, name));
        removed.push(...this.#drop(record));
      } catch (error) {
        // Taken into use, or removed by somebody else, since the list was made.
        if (!isKind(error, "conflict") && !isKind(error, "not-found")) throw error;
      }
    }
    const { bytes } = await this.#store.collect();
    return { removed, bytes };
  }

  #users(record: ImageRecord): ContainerRecord[] {
    return this.#containers.list().filter((container) => usesImage(container, record.id));
  }

  #refuseUsed(record: ImageRecord, text: string, force: boolean): void {
    const users = this.#users(record);
    const running = users.filter(({ state }) => state.status === "running" || state.status === "paused");
    const blocking = force ? running : users;
    if (blocking.length === 0) return;
    const user = blocking[0]!;
    throw new GantryError("conflict", {
      doing: "remove the image",
      on: text,
      because: `the container ${user.name} (${user.id.slice(0, 12)}, ${user.state.status}) uses it`,
      next:
        running.length > 0 ? "Stop and remove that container first." : "Remove that container first, or use --force.",
    });
  }

  #untag(record: ImageRecord, name: string): Removed {
    this.#store.images.untag(name);
    const shown = familiarReference(parseReference(name));
    this.#events.publish({ type: "image", action: "untag", id: record.id, attributes: { name: shown } });
    return { untagged: shown };
  }

  /** With a container left that uses it the image only loses its names. */
  #drop(record: ImageRecord): Removed[] {
    if (this.#users(record).length > 0) return [];
    this.#store.images.remove(record.id);
    this.#events.publish({ type: "image", action: "delete", id: record.id, attributes: { name: record.id } });
    return [{ deleted: record.id }];
  }
}

/** As its root, or mounted into it. */
function usesImage({ image, config }: ContainerRecord, id: string): boolean {
  return image === id || (config.mounts ?? []).some((mount) => mount.type === "image" && mount.image === id);
}

/** The record's own name that `text` means; undefined when it is an id. */
function nameOf(record: ImageRecord, text: string): string | undefined {
  try {
    const reference = parseReference(text);
    const canonical = canonicalReference(withDefaultTag(reference));
    return record.names.find((name) => name === canonical);
  } catch (error) {
    if (isKind(error, "invalid")) return undefined;
    throw error;
  }
}
