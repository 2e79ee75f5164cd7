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
 * What an entry is: a member, a member of which something descriptive was cut, an instance that is not healthy enough, or an entry
 * that cannot be read, with the reason.
 */
export type EntryOutcome = ClusterNode | TrimmedMember | "unhealthy" | { readonly skipped: string };

export interface TrimmedMember {
  readonly trimmed: string;
  readonly node: ClusterNode;
}

/** How bad a check is: the worst of an instance's checks is its own. Unknown ones count as critical. */
const SEVERITY: ReadonlyMap<unknown, number> = new Map([
  ["passing", 0],
  ["warning", 1],
]);
const CRITICAL = 2;

/** The member that an entry is; undefined where it is not one. */
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

  /** A node with the content of what `find` gives for its id is that same object. */
  read(entry: unknown, find: (id: NodeId) => ClusterNode | undefined): EntryOutcome {
    const service = fieldOf(entry, "Service");
    const node = fieldOf(entry, "Node");
    if (service === undefined || node === undefined) return { skipped: "it has no Service or no Node" };
    const severity = severityOf(listOf(entry, "Checks"));
    if (severity > (this.#params.health === "warning" ? 1 : 0)) return "unhealthy";
    const endpoint = toEndpoint(service, node, this.#params.taggedAddress);
    const id = toId(this.#params.nodeId, service, node, endpoint);
    const { host } = endpoint;
    const before = id === undefined ? undefined : find(id);
    // A host that was a member's is known to be one.
    if (typeof host === "string" && host !== before?.host && !isHost(host))
      return { skipped: `host: expected ${EXPECTED_HOST}` };
    const input = { id, ...endpoint, ...this.#describe(service, node, severity) };
    try {
      return this.#readNode(input, before);
    } catch (error) {
      return this.#readTrimmed(input, find, error);
    }
  }

  /** Limits of ours that Consul does not have must not remove a healthy instance. */
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

  /** All but id, host and port; not checked yet. */
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

/** Undefined, which is not an id, where a part of it does not have the form it must have. */
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
