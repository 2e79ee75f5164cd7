import {
  createNodeReader,
  isProvisioningError,
  MemberSet,
  ProvisioningError,
  type ClusterNode,
  type NodeReader,
  type SkippedEntries,
} from "@holdfast/core";
import * as z from "zod";

export interface RosterContent {
  readonly members: MemberSet;
  readonly skipped?: SkippedEntries | undefined;
}

const contentSchema = z.object({ members: z.array(z.unknown()) });
const MAX_REASONS = 5;

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
    const reasons: string[] = [];
    let count = 0;
    for (const entry of data.members) {
      try {
        const node = this.#read(entry, find(idOf(entry)));
        nodes.set(node.id, node);
      } catch (error) {
        if (!isProvisioningError(error)) throw error;
        count++;
        if (reasons.length < MAX_REASONS) reasons.push(error.message);
      }
    }
    this.#members = this.#members.replace(nodes.values());
    return { members: this.#members, ...(count > 0 && { skipped: { count, reasons } }) };
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw new ProvisioningError("STREAM_INVALID_DATA", "the answer is no JSON", { cause: error });
  }
}

function idOf(entry: unknown): string {
  const id: unknown = Reflect.get(Object(entry), "id");
  return typeof id === "string" ? id : "";
}
