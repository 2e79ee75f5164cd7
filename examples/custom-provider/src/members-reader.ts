import { MemberSet, ProvisioningError, type ClusterNode, type SkippedEntries } from "@holdfast/core";
import { createNodeReader, fieldOf, SkipTally, toSkipReason, type NodeReader } from "@holdfast/core/adapter";
import * as z from "zod";

export interface RosterContent {
  readonly members: MemberSet;
  readonly skipped?: SkippedEntries | undefined;
}

const contentSchema = z.object({ members: z.array(z.unknown()) });

/** Reads one version after the other; what did not change stays the same object. */
export class MembersReader {
  readonly #read: NodeReader = createNodeReader();
  #members: MemberSet = MemberSet.empty;

  /** A malformed member is left out and counted. Throws `STREAM_INVALID_DATA` when the whole is malformed. */
  read(body: Uint8Array): RosterContent {
    const { success, data } = contentSchema.safeParse(parseJson(body));
    if (!success) throw new ProvisioningError("STREAM_INVALID_DATA", "the answer has no list of members");
    const find = this.#members.finder();
    const nodes = new Map<string, ClusterNode>();
    const skips = new SkipTally();
    for (const entry of data.members) {
      try {
        const node = this.#read(entry, find(idOf(entry)));
        nodes.set(node.id, node);
      } catch (error) {
        skips.skip(toSkipReason(error));
      }
    }
    this.#members = this.#members.replace(nodes.values());
    return { members: this.#members, skipped: skips.toSkipped() };
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    // The message of either quotes the text.
    throw new ProvisioningError("STREAM_INVALID_DATA", "the answer is no JSON");
  }
}

function idOf(entry: unknown): string {
  const id = fieldOf(entry, "id");
  return typeof id === "string" ? id : "";
}
