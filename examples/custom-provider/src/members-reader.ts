import { MemberSet, ProvisioningError, type ClusterNode, type SkippedEntries } from "@holdfast/core";
import {
  createNodeReader,
  fieldOf,
  parseJson,
  SkipTally,
  textOf,
  toSkipReason,
  type NodeReader,
} from "@holdfast/core/adapter";

export interface RosterContent {
  readonly members: MemberSet;
  readonly skipped?: SkippedEntries | undefined;
}

/** Reads successive versions of the members. Members that did not change stay the same objects. */
export class MembersReader {
  readonly #read: NodeReader = createNodeReader();
  #members: MemberSet = MemberSet.empty;

  /** Skips and counts malformed members. Throws `STREAM_INVALID_DATA` when the body is not valid. */
  read(body: Uint8Array): RosterContent {
    const content = parseJson(new TextDecoder().decode(body));
    if (content === undefined) throw new ProvisioningError("STREAM_INVALID_DATA", "the response is not JSON");
    const entries = fieldOf(content, "members");
    if (!Array.isArray(entries))
      throw new ProvisioningError("STREAM_INVALID_DATA", "the response has no list of members");
    const find = this.#members.finder();
    const nodes = new Map<string, ClusterNode>();
    const skips = new SkipTally();
    for (const entry of entries as readonly unknown[]) {
      try {
        const node = this.#read(entry, find(textOf(entry, "id") ?? ""));
        nodes.set(node.id, node);
      } catch (error) {
        skips.skip(toSkipReason(error));
      }
    }
    this.#members = this.#members.replace(nodes.values());
    return { members: this.#members, skipped: skips.toSkipped() };
  }
}
