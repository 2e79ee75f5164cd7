import {
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
} from "@holdfast/core";
import type { WatchEvent } from "../access/api-client.ts";
import { EndpointSliceReader } from "../wire/endpoint-slice-reader.ts";
import { toUnreadable, type SliceContent } from "../wire/slice-content.ts";
import { sliceKeyOf } from "../wire/slice-key.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import type { ListPage } from "../wire/list-page.ts";
import { Settling } from "./settling.ts";
import { SliceSet } from "./slice-set.ts";

type Timing = Parameters<MemberSet["replaceSliced"]>[1];

/** The slices of one place, and the version up to which they are known. It belongs to one watch at a time. */
export class EndpointState {
  /** Where the slices are: a version means nothing anywhere else. */
  place: string | undefined;
  /** The backend's; opaque. */
  version = "";
  /** Wall-clock milliseconds of the last moment at which the server said that this was the content. */
  observedAt = 0;
  /** The same on the monotonic clock. */
  confirmedAt: number = Number.NEGATIVE_INFINITY;
  readonly #reader: EndpointSliceReader;
  readonly #slices: SliceSet;
  readonly #settling: Settling;
  #members: MemberSet = MemberSet.empty;

  constructor(params: KubernetesSettings) {
    this.#reader = new EndpointSliceReader(params);
    this.#slices = new SliceSet({ isPortChosen: params.port !== undefined });
    this.#settling = new Settling(params.settleMs);
  }

  /** When `take` has something to do without an event, on the monotonic clock. */
  get settlesAt(): number | undefined {
    return this.#settling.nextAt;
  }

  get members(): MemberSet {
    return this.#members;
  }

  get keys(): ReadonlySet<string> {
    return new Set(this.#slices.keys);
  }

  /** Adds the slices of one page of a list. Returns their keys. Their endpoints appear in `members` after `endList`. */
  putPage({ items }: ListPage, from: string): readonly string[] {
    return items.map((slice, i) => {
      const key = sliceKeyOf(slice);
      // Without a name it is called after its place.
      const content =
        key === undefined
          ? toUnreadable(`#${from}${i}`, "metadata.name: expected a name")
          : this.#read(key, slice);
      this.#slices.apply([content], []);
      return content.key;
    });
  }

  /** The list is whole: what it did not have is gone. */
  async endList(gone: Iterable<string>, version: string, timing: Timing): Promise<void> {
    this.#slices.apply([], gone);
    this.#settling.clear();
    this.#members = await this.#members.replaceSliced(this.#slices.nodes(), timing);
    this.version = version;
  }

  /** Takes in events, and what is due at this time of the monotonic clock. */
  take(events: readonly WatchEvent[], now: number): void {
    let members = this.#members;
    for (const event of events) {
      if (event.type !== "bookmark") {
        const change =
          event.type === "put"
            ? this.#slices.apply([this.#read(event.key, event.slice)], [])
            : this.#slices.apply([], [event.key]);
        members = members.apply(this.#settling.admit(change, now));
      }
      this.version = event.resourceVersion;
    }
    const due = this.#settling.takeDue(now);
    this.#members = due.length === 0 ? members : members.apply({ upsert: [], remove: due });
  }

  /** Removes the members that are only kept as they may be moving between two slices. */
  settle(): void {
    const remove = this.#settling.takeAll();
    if (remove.length > 0) this.#members = this.#members.apply({ upsert: [], remove });
  }

  /** Throws `STREAM_INVALID_DATA` when there are endpoints, and not one of them could be read. */
  toSnapshot(providerId: ProviderId): ProviderSnapshot {
    const { skipped, trimmed } = this.#slices;
    const { observedAt, version: revision } = this;
    if (this.#members.size === 0 && skipped !== undefined) {
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `none of ${skipped.count} endpoints could be read: ${skipped.reasons.join("; ")}`,
        { details: { skipped } },
      );
    }
    return createSnapshot({ providerId, members: this.#members, observedAt, revision, skipped, trimmed });
  }

  #read(key: string, slice: unknown): SliceContent {
    return this.#reader.read(key, slice, (id: NodeId) => this.#members.get(id));
  }
}
