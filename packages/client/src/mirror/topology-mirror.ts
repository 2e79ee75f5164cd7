import {
  createSnapshot,
  isProvisioningError,
  MemberSet,
  ProvisioningError,
  type ClusterNode,
  type LogPosition,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
  type Reason,
  type SliceOptions,
  type SnapshotHash,
  type TopologyStatus,
} from "@holdfast/core";
import { MAX_MEMBERS, type NodeReader } from "@holdfast/core/portable";
import type { LogMessage, SnapshotMessage, StateMessage } from "../connection/daemon-message.ts";
import type { ContentMemory, KnownContent } from "./content-memory.ts";
import { invalid, verified, type Content } from "./content.ts";
import { isSameList } from "./is-same-list.ts";

export interface MirrorStatus {
  readonly status: TopologyStatus;
  readonly isStale: boolean;
  readonly reason: Reason;
}

/** Members are read in slices of this many, between which the event loop turns. */
const SLICE = 1_024;

export interface TopologyMirrorOptions {
  readonly read: NodeReader;
  readonly memory: ContentMemory;
}

/**
 * What a daemon's log has led to, kept from its messages. Each message has to follow the one before (its number, and for content the
 * hash before it) and has to lead to the hash and the number of members that it names; otherwise `apply` rejects with
 * `STREAM_INVALID_DATA` and the mirror must not be used any more.
 */
export class TopologyMirror {
  readonly #read: NodeReader;
  readonly #memory: ContentMemory;
  #position: LogPosition | undefined;
  #content: Content | undefined;
  #status: MirrorStatus | undefined;
  /** What the current connection may leave out. */
  #offered: KnownContent | undefined;

  constructor({ read, memory }: TopologyMirrorOptions) {
    this.#read = read;
    this.#memory = memory;
  }

  /** The last message; undefined before the first state. */
  get position(): LogPosition | undefined {
    return this.#position;
  }

  /** Undefined before the first state. */
  get status(): MirrorStatus | undefined {
    return this.#status;
  }

  /** When the daemon read its content, by the clock of the daemon. Undefined without content, and when the daemon does not report it. */
  get contentReadAt(): number | undefined {
    return this.#content?.observedAt;
  }

  get contentHash(): SnapshotHash | undefined {
    return this.#content?.hash;
  }

  /** Returns known content for a new connection, whose state may leave the members out if it has the same hash. */
  offer(): KnownContent | undefined {
    this.#offered = this.#memory.newest;
    return this.#offered;
  }

  /** The snapshot of `providerId`, observed at `observedAt`; undefined while the daemon has no content. */
  toSnapshot({ providerId, observedAt, via }: SnapshotOrigin): ProviderSnapshot | undefined {
    const { members, blockedNodes, retained } = this.#content ?? {};
    if (members === undefined) return undefined;
    const { epoch = "", seqNo = 0 } = this.#position ?? {};
    const revision = toRevision({ epoch, seqNo }, this.contentReadAt);
    return createSnapshot({ providerId, members, observedAt, revision, blockedNodes, retained, via });
  }

  /** Whether a snapshot that was made before has the current content. */
  isContentOf({ members, hash, retained }: ProviderSnapshot): boolean {
    const content = this.#content;
    return (
      content !== undefined &&
      content.members === members &&
      content.hash === hash &&
      isSameList(content.retained, retained)
    );
  }

  async apply(message: LogMessage, options: SliceOptions): Promise<void> {
    if (message.type === "state") return this.#replace(message, options);
    const { epoch, seqNo } = message;
    const before = this.#position;
    if (before === undefined) throw invalid(`event ${seqNo} came before the state`);
    // A hub may take its final epoch when it starts, before its first event.
    const isFirst = before.seqNo === 0 && seqNo === 1;
    if (epoch !== before.epoch && !isFirst) throw invalid(`event ${seqNo} is of another run of the daemon`);
    if (seqNo !== before.seqNo + 1) throw invalid(`event ${seqNo} follows event ${before.seqNo}`);
    if (message.type === "snapshot") await this.#change(message, options);
    if (message.type === "status") {
      const { status, isStale, reason } = message;
      this.#status = { status, isStale, reason };
    }
    this.#position = { epoch, seqNo };
  }

  async #replace(
    { epoch, seqNo, status, isStale, reason, content }: StateMessage,
    options: SliceOptions,
  ): Promise<void> {
    if (content === undefined) this.#content = undefined;
    else {
      const { members: entries, ...head } = content;
      const members = entries === undefined ? this.#known(head.hash) : await this.#readAll(entries, options);
      this.#keep({ ...head, members });
    }
    this.#status = { status, isStale, reason };
    this.#position = { epoch, seqNo };
  }

  /** The members of a state that leaves them out. */
  #known(hash: string): MemberSet {
    if (this.#offered?.hash === hash) return this.#offered.members;
    throw invalid("the state has no members, and its hash is not the one that the request named");
  }

  async #readAll(entries: readonly unknown[], options: SliceOptions): Promise<MemberSet> {
    const before = this.#content?.members ?? this.#memory.newest?.members ?? MemberSet.empty;
    const nodes = await this.#readNodes(entries, before, options);
    return before.replaceSliced(nodes, options).catch((error: unknown) => {
      throw toInvalidMember(error);
    });
  }

  async #change(message: SnapshotMessage, options: SliceOptions): Promise<void> {
    const { previousHash, upsert, removed, type: _, epoch: _epoch, seqNo: _seqNo, ...head } = message;
    const before = this.#content;
    if (previousHash !== before?.hash) throw invalid(`event ${message.seqNo} follows another content`);
    const members = before?.members ?? MemberSet.empty;
    const nodes = await this.#readNodes(upsert, members, options);
    const next = members.apply({ upsert: nodes, remove: removed });
    this.#keep({ ...head, members: next });
  }

  #keep(content: Content): void {
    if (content.memberCount > MAX_MEMBERS) throw invalid(`the daemon has more than ${MAX_MEMBERS} members`);
    this.#content = verified(content);
    this.#memory.newest = { hash: content.hash, members: content.members };
  }

  /** An entry that equals the member with its id is that member, so that versions share nodes. */
  async #readNodes(
    entries: readonly unknown[],
    before: MemberSet,
    { clock }: SliceOptions,
  ): Promise<readonly ClusterNode[]> {
    const find = before.finder();
    const nodes: ClusterNode[] = [];
    for (let at = 0; at < entries.length; at += SLICE) {
      if (at > 0) await clock.yield();
      for (const entry of entries.slice(at, at + SLICE)) nodes.push(this.#readNode(entry, find));
    }
    return nodes;
  }

  #readNode(entry: unknown, find: (id: NodeId) => ClusterNode | undefined): ClusterNode {
    const id: unknown = typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined;
    try {
      return this.#read(entry, typeof id === "string" ? find(id) : undefined);
    } catch (error) {
      throw toInvalidMember(error);
    }
  }
}

/** The daemon's position, and when it read the content, by its own clock. */
function toRevision({ epoch, seqNo }: LogPosition, readAt: number | undefined): string {
  return `${epoch}:${seqNo}${readAt === undefined ? "" : `@${readAt}`}`;
}

/** When the daemon read the content of a snapshot of a mirror, by its own clock. Undefined when it did not report it. */
export function readAtOf(snapshot: ProviderSnapshot | undefined): number | undefined {
  const [, text] = /@(\d+(?:\.\d+)?)$/.exec(snapshot?.revision ?? "") ?? [];
  return text === undefined ? undefined : Number(text);
}

/** The fields of a snapshot that are not part of the daemon's content. */
export interface SnapshotOrigin {
  readonly providerId: ProviderId;
  /** Wall-clock milliseconds. */
  readonly observedAt: number;
  /** The daemons that the content came through; absent when that is unknown. */
  readonly via: readonly string[] | undefined;
}

/** A malformed member, or two with one id. The problems name fields and quote no values. */
function toInvalidMember(error: unknown): unknown {
  if (!isProvisioningError(error) || error.category !== "validation") return error;
  const { details } = error;
  return new ProvisioningError("STREAM_INVALID_DATA", "a member of the daemon's topology is malformed", {
    details,
  });
}
