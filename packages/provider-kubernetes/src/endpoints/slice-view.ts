import {
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
  type SliceOptions,
} from "@holdfast/core";
import type { NodeReader } from "@holdfast/core/adapter";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import type { ObjectChange } from "../sharing/object-change.ts";
import type { ObjectView } from "../sharing/object-view.ts";
import type { WatchPosition } from "../watch/watch-position.ts";
import { EndpointSliceReader } from "../wire/endpoint-slice-reader.ts";
import { objectKeyOf } from "../wire/object-key.ts";
import { toUnreadable, type SliceContent } from "../wire/slice-content.ts";
import { Settling } from "./settling.ts";
import { SliceSet, type SliceChange } from "./slice-set.ts";

/**
 * The members of one provider, from the EndpointSlices of a group. It keeps node objects that do not change, also from one watch to
 * the next. Only one watch uses a view at a time.
 */
export class SliceView implements ObjectView {
  readonly group: string;
  readonly #params: KubernetesSettings;
  readonly #reader: EndpointSliceReader;
  readonly #settling: Settling;
  /** The text that each slice was read from. */
  readonly #texts = new Map<string, string>();
  /** The number of calls of `sync`. */
  #syncs = 0;
  #slices: SliceSet;
  #members: MemberSet = MemberSet.empty;

  constructor(group: string, params: KubernetesSettings, readNode: NodeReader) {
    this.group = group;
    this.#params = params;
    this.#reader = new EndpointSliceReader(params, readNode);
    this.#settling = new Settling(params.settleMs);
    this.#slices = this.#createSlices();
  }

  get settlesAt(): number | undefined {
    return this.#settling.nextAt;
  }

  get members(): MemberSet {
    return this.#members;
  }

  /** Takes a slice of a list. Its endpoints appear in `members` after `sync`. */
  prepare({ key, text, object }: ObjectChange): void {
    if (text !== undefined) this.#put(key, text, object);
  }

  /** Puts or removes a slice. A member that no slice lists any more is kept until its settle time is over. */
  apply({ key, text, object }: ObjectChange, now: number): void {
    const change = text === undefined ? this.#remove(key) : this.#put(key, text, object);
    if (change !== undefined) this.#members = this.#members.apply(this.#settling.admit(change, now));
    this.settle(now);
  }

  /** Replaces all slices. Members that are kept only because they may be moving between two slices are removed. */
  async sync(objects: Iterable<readonly [key: string, text: string]>, timing: SliceOptions): Promise<void> {
    const gone = new Set(this.#texts.keys());
    for (const [key, text] of objects) {
      gone.delete(key);
      this.#put(key, text, undefined);
    }
    for (const key of gone) this.#remove(key);
    this.#settling.clear();
    const sync = ++this.#syncs;
    const members = await this.#members.replaceSliced(this.#slices.nodes(), timing);
    // A watch that was aborted may still be here when the next one uses the view.
    if (sync === this.#syncs) this.#members = members;
  }

  settle(now: number): void {
    const remove = this.#settling.takeDue(now);
    if (remove.length > 0) this.#members = this.#members.apply({ upsert: [], remove });
  }

  /** Creates a snapshot. Throws `STREAM_INVALID_DATA` when there are endpoints but none of them could be read. */
  toSnapshot(providerId: ProviderId, { observedAt, version: revision }: WatchPosition): ProviderSnapshot {
    const { skipped, trimmed } = this.#slices;
    if (this.#members.size === 0 && skipped !== undefined) {
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `none of the ${skipped.count} endpoints could be read: ${skipped.reasons.join("; ")}`,
        { details: { skipped } },
      );
    }
    return createSnapshot({ providerId, members: this.#members, observedAt, revision, skipped, trimmed });
  }

  /** Returns undefined when the view has the slice already. */
  #put(key: string, text: string, object: unknown): SliceChange | undefined {
    if (this.#texts.get(key) === text) return undefined;
    const change = this.#change(() => this.#slices.apply([this.#read(key, object ?? JSON.parse(text))], []));
    this.#texts.set(key, text);
    return change;
  }

  #remove(key: string): SliceChange | undefined {
    if (!this.#texts.delete(key)) return undefined;
    return this.#slices.apply([], [key]);
  }

  /** After an error the slices are not consistent, so the next use of the view starts without any. */
  #change(work: () => SliceChange): SliceChange {
    try {
      return work();
    } catch (error) {
      this.#texts.clear();
      this.#slices = this.#createSlices();
      throw error;
    }
  }

  #read(key: string, slice: unknown): SliceContent {
    // The key of a slice without a name is its position in the list.
    if (objectKeyOf(slice) === undefined) return toUnreadable(key, "metadata.name: expected a name");
    return this.#reader.read(key, slice, (id: NodeId) => this.#members.get(id));
  }

  #createSlices(): SliceSet {
    return new SliceSet({ isPortChosen: this.#params.port !== undefined });
  }
}
