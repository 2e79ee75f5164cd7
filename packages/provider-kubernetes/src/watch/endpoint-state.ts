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

/** The known slices of one place (server and namespace), and their version. Only one watch uses a state at a time. */
export class EndpointState {
  /** The server and namespace of the slices. A version is valid only there. */
  place: string | undefined;
  /** The version of the backend; opaque. */
  version = "";
  /** When the server last confirmed this content, in milliseconds of the wall clock. */
  observedAt = 0;
  /** The same in milliseconds of the monotonic clock. */
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

  /** When `apply` must be called without an event, in milliseconds of the monotonic clock. */
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
      // A slice without a name gets a key from its position.
      const content =
        key === undefined
          ? toUnreadable(`#${from}${i}`, "metadata.name: expected a name")
          : this.#read(key, slice);
      this.#slices.apply([content], []);
      return content.key;
    });
  }

  /** Ends a list. The slices in `gone` were not part of it and are removed. */
  async endList(gone: Iterable<string>, version: string, timing: Timing): Promise<void> {
    this.#slices.apply([], gone);
    this.#settling.clear();
    this.#members = await this.#members.replaceSliced(this.#slices.nodes(), timing);
    this.version = version;
  }

  /** Applies events, and removes members whose settle time is over at `now` (monotonic clock). */
  apply(events: readonly WatchEvent[], now: number): void {
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

  /** Removes the members that are kept only because they may be moving between two slices. */
  removePending(): void {
    const remove = this.#settling.takeAll();
    if (remove.length > 0) this.#members = this.#members.apply({ upsert: [], remove });
  }

  /** Creates a snapshot. Throws `STREAM_INVALID_DATA` when there are endpoints but none of them could be read. */
  toSnapshot(providerId: ProviderId): ProviderSnapshot {
    const { skipped, trimmed } = this.#slices;
    const { observedAt, version: revision } = this;
    if (this.#members.size === 0 && skipped !== undefined) {
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `none of the ${skipped.count} endpoints could be read: ${skipped.reasons.join("; ")}`,
        { details: { skipped } },
      );
    }
    return createSnapshot({ providerId, members: this.#members, observedAt, revision, skipped, trimmed });
  }

  #read(key: string, slice: unknown): SliceContent {
    return this.#reader.read(key, slice, (id: NodeId) => this.#members.get(id));
  }
}
