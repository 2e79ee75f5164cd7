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
  type TopologyStatus,
} from "@holdfast/core";
import type { NodeReader } from "@holdfast/core/portable";
import type {
  ContentHead,
  DaemonMessage,
  SnapshotMessage,
  StateMessage,
} from "../connection/daemon-message.ts";

interface Content extends ContentHead {
  readonly members: MemberSet;
  readonly blockedNodes: readonly NodeId[];
}

export interface MirrorStatus {
  readonly status: TopologyStatus;
  readonly isStale: boolean;
  readonly reason: Reason;
}

/** Members are read in slices of this many, between which the event loop turns. */
const SLICE = 1_024;

/**
 * What a daemon's log has led to, kept from its messages. Each message has to follow the one before (its number, and for content the
 * hash before it) and has to lead to the hash and the number of members that it names; otherwise `apply` rejects with
 * `STREAM_INVALID_DATA` and the mirror must not be used any more.
 */
export class TopologyMirror {
  readonly #read: NodeReader;
  #position: LogPosition | undefined;
  #content: Content | undefined;
  #status: MirrorStatus | undefined;

  constructor(read: NodeReader) {
    this.#read = read;
  }

  /** The last message; undefined before the first state. */
  get position(): LogPosition | undefined {
    return this.#position;
  }

  /** Undefined before the first state. */
  get status(): MirrorStatus | undefined {
    return this.#status;
  }

  /** Signed by `providerId` and observed at `observedAt`; undefined while the daemon has no content. */
  toSnapshot(providerId: ProviderId, observedAt: number): ProviderSnapshot | undefined {
    const { members, blockedNodes, retained } = this.#content ?? {};
    if (members === undefined) return undefined;
    const { epoch = "", seqNo = 0 } = this.#position ?? {};
    const revision = `${epoch}:${seqNo}`;
    return createSnapshot({ providerId, members, observedAt, revision, blockedNodes, retained });
  }

  /** Whether the content is another one than that of a snapshot made before. */
  isContentOf({ members, hash, retained }: ProviderSnapshot): boolean {
    const content = this.#content;
    return (
      content !== undefined &&
      content.members === members &&
      content.hash === hash &&
      isSameList(content.retained, retained)
    );
  }

  async apply(message: DaemonMessage, options: SliceOptions): Promise<void> {
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
      const before = this.#content?.members ?? MemberSet.empty;
      const nodes = await this.#readNodes(content.members, before, options);
      const members = await before.replaceSliced(nodes, options).catch((error: unknown) => {
        throw toInvalidMember(error);
      });
      const { members: _, ...head } = content;
      this.#content = verified({ ...head, members });
    }
    this.#status = { status, isStale, reason };
    this.#position = { epoch, seqNo };
  }

  async #change(message: SnapshotMessage, options: SliceOptions): Promise<void> {
    const { previousHash, upsert, removed, providerId, hash, memberCount, retained, blockedNodes } = message;
    const before = this.#content;
    if (previousHash !== before?.hash) throw invalid(`event ${message.seqNo} follows another content`);
    const members = before?.members ?? MemberSet.empty;
    const nodes = await this.#readNodes(upsert, members, options);
    const next = members.apply({ upsert: nodes, remove: removed });
    this.#content = verified({ providerId, hash, memberCount, retained, blockedNodes, members: next });
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

function verified(content: Content): Content {
  const { members, blockedNodes, memberCount, hash, providerId } = content;
  if (members.size !== memberCount) {
    throw invalid(`the daemon names ${memberCount} members, its events lead to ${members.size}`);
  }
  if (createSnapshot({ providerId, members, blockedNodes, observedAt: 0 }).hash !== hash) {
    throw invalid("the content does not have the hash that the daemon names");
  }
  return content;
}

/** A malformed member, or two with one id. The problems name fields and quote no values. */
function toInvalidMember(error: unknown): unknown {
  if (!isProvisioningError(error) || error.category !== "validation") return error;
  const { details } = error;
  return new ProvisioningError("STREAM_INVALID_DATA", "a member of the daemon's topology is malformed", {
    details,
  });
}

function invalid(message: string): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", message);
}

function isSameList(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return (
    a === b ||
    (a !== undefined && b !== undefined && a.length === b.length && a.every((item, i) => item === b[i]))
  );
}
