import { isProvisioningError, type ClusterNode, type NodeId } from "@holdfast/core";
import {
  createNodeReader,
  EXPECTED_HOST,
  fieldOf,
  isHost,
  listOf,
  textOf,
  toSkipReason,
  trimNode,
  type NodeReader,
} from "@holdfast/core/adapter";
import type { ConsulSettings, NodeIdRule } from "../consul-params.ts";
import { toEndpoint, type Endpoint } from "./service-endpoint.ts";

/**
 * The result of reading an entry: a member, a member with shortened descriptive fields, an instance that is not healthy
 * enough, or the reason why the entry cannot be read.
 */
export type EntryOutcome = ClusterNode | TrimmedMember | "unhealthy" | { readonly skipped: string };

export interface TrimmedMember {
  readonly trimmed: string;
  readonly node: ClusterNode;
}

/**
 * The severity of the statuses of a check. The severity of an instance is that of its worst check. Unknown statuses
 * count as critical.
 */
const SEVERITY: ReadonlyMap<unknown, number> = new Map([
  ["passing", 0],
  ["warning", 1],
]);
const CRITICAL = 2;

/** Returns the member of an entry; undefined if it has none. */
export function nodeOf(outcome: EntryOutcome): ClusterNode | undefined {
  if (typeof outcome === "string" || "skipped" in outcome) return undefined;
  return "node" in outcome ? outcome.node : outcome;
}

/** Reads entries of a health response (`/v1/health/service`). */
export class HealthEntryReader {
  readonly #params: ConsulSettings;
  readonly #readNode: NodeReader = createNodeReader();

  constructor(params: ConsulSettings) {
    this.#params = params;
  }

  /**
   * Reads an entry. When its content is equal to the node that `find` returns for its id, the same object is returned.
   */
  read(entry: unknown, find: (id: NodeId) => ClusterNode | undefined): EntryOutcome {
    const service = fieldOf(entry, "Service");
    const node = fieldOf(entry, "Node");
    if (service === undefined || node === undefined)
      return { skipped: "the entry has no Service or no Node" };
    const severity = severityOf(listOf(entry, "Checks"));
    if (severity > (this.#params.health === "warning" ? 1 : 0)) return "unhealthy";
    const endpoint = toEndpoint(service, node, this.#params.taggedAddress);
    const id = toId(this.#params.nodeId, service, node, endpoint);
    const { host } = endpoint;
    const before = id === undefined ? undefined : find(id);
    // A host that is equal to that of the previous member has already been checked.
    if (typeof host === "string" && host !== before?.host && !isHost(host))
      return { skipped: `host: expected ${EXPECTED_HOST}` };
    const input = { id, ...endpoint, ...this.#describe(service, node, severity) };
    try {
      return this.#readNode(input, before);
    } catch (error) {
      return this.#readTrimmed(input, find, error);
    }
  }

  /**
   * Reads an instance that exceeds a limit of Holdfast. Consul does not have these limits, so a healthy instance must
   * not be removed because of them.
   */
  #readTrimmed(
    input: Readonly<Record<string, unknown>>,
    find: (id: NodeId) => ClusterNode | undefined,
    refusal: unknown,
  ): EntryOutcome {
    const trimmed = trimNode(input);
    if (trimmed === undefined) return { skipped: toSkipReason(refusal) };
    const id = textOf(trimmed.entry, "id");
    try {
      const node = this.#readNode(trimmed.entry, id === undefined ? undefined : find(id));
      return { node, trimmed: trimmed.reasons.join("; ") };
    } catch (error) {
      if (!isProvisioningError(error)) throw error;
      return { skipped: toSkipReason(error) };
    }
  }

  /** Returns the fields other than id, host and port, without checking them. */
  #describe(service: unknown, node: unknown, severity: number): Readonly<Record<string, unknown>> {
    const { zoneMeta } = this.#params;
    const meta = fieldOf(service, "Meta");
    const zone = fieldOf(meta, zoneMeta) ?? fieldOf(fieldOf(node, "Meta"), zoneMeta);
    const weight = fieldOf(fieldOf(service, "Weights"), severity === 0 ? "Passing" : "Warning");
    return {
      tags: fieldOf(service, "Tags") ?? undefined,
      metadata: meta ?? undefined,
      ...(zone !== undefined && zone !== "" && { zone }),
      ...(weight !== undefined && { weight }),
    };
  }
}

/** Returns the id of a member; undefined when a part of it has an invalid type. */
function toId(rule: NodeIdRule, service: unknown, node: unknown, endpoint: Endpoint): string | undefined {
  if (typeof rule === "object") return textOf(fieldOf(service, "Meta"), rule.meta);
  if (rule === "address") {
    const { host, port } = endpoint;
    return typeof host === "string" && typeof port === "number" ? `${host}:${port}` : undefined;
  }
  const serviceId = textOf(service, "ID");
  if (rule === "service-id" || serviceId === undefined) return serviceId;
  const name = textOf(node, "Node");
  return name === undefined ? undefined : `${name}/${serviceId}`;
}

function severityOf(checks: readonly unknown[]): number {
  return checks.reduce<number>(
    (worst, check) => Math.max(worst, SEVERITY.get(fieldOf(check, "Status")) ?? CRITICAL),
    0,
  );
}
