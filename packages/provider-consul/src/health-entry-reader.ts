import {
  createNodeReader,
  fieldOf,
  listOf,
  toSkipReason,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeId,
  type NodeReader,
} from "@holdfast/core";
import type { ConsulProviderParams, NodeIdRule } from "./consul-params.ts";

/** What an entry is: a member, an instance that is not healthy enough, or nothing readable, with the reason. */
export type EntryOutcome = ClusterNode | "unhealthy" | { readonly skipped: string };

/** How bad a check is: the worst of an instance's checks is its own. Unknown ones count as critical. */
const SEVERITY: ReadonlyMap<unknown, number> = new Map([
  ["passing", 0],
  ["warning", 1],
]);
const CRITICAL = 2;

/** Reads entries of a health answer (`/v1/health/service`). */
export class HealthEntryReader {
  readonly #params: ConsulProviderParams;
  readonly #readNode: NodeReader = createNodeReader();

  constructor(params: ConsulProviderParams) {
    this.#params = params;
  }

  /** A node that says what `find` gives for its id is that same object. */
  read(entry: unknown, find: (id: NodeId) => ClusterNode | undefined): EntryOutcome {
    const service = fieldOf(entry, "Service");
    const node = fieldOf(entry, "Node");
    if (service === undefined || node === undefined) return { skipped: "it has no Service or no Node" };
    const severity = severityOf(listOf(entry, "Checks"));
    if (severity > (this.#params.health === "warning" ? 1 : 0)) return "unhealthy";
    const input = this.#toInput(service, node, severity);
    try {
      return this.#readNode(input, find(input.id));
    } catch (error) {
      return { skipped: toSkipReason(error) };
    }
  }

  /** Not checked yet. */
  #toInput(service: unknown, node: unknown, severity: number): ClusterNodeInput {
    const { zoneMeta, nodeId } = this.#params;
    const meta = fieldOf(service, "Meta");
    const host = this.#hostOf(service, node);
    const zone = fieldOf(meta, zoneMeta) ?? fieldOf(fieldOf(node, "Meta"), zoneMeta);
    const weight = fieldOf(fieldOf(service, "Weights"), severity === 0 ? "Passing" : "Warning");
    const input = {
      id: toId(nodeId, service, node, host),
      host,
      port: fieldOf(service, "Port"),
      tags: fieldOf(service, "Tags") ?? undefined,
      metadata: meta ?? undefined,
      ...(zone !== undefined && zone !== "" && { zone }),
      ...(weight !== undefined && { weight }),
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the node reader checks every field
    return input as unknown as ClusterNodeInput;
  }

  #hostOf(service: unknown, node: unknown): unknown {
    const { taggedAddress } = this.#params;
    if (taggedAddress !== undefined) {
      const ofService = fieldOf(fieldOf(fieldOf(service, "TaggedAddresses"), taggedAddress), "Address");
      const tagged = ofService ?? fieldOf(fieldOf(node, "TaggedAddresses"), taggedAddress);
      if (tagged !== undefined && tagged !== "") return tagged;
    }
    // An instance without an address of its own has its node's.
    return fieldOf(service, "Address") || fieldOf(node, "Address");
  }
}

function toId(rule: NodeIdRule, service: unknown, node: unknown, host: unknown): unknown {
  const serviceId = fieldOf(service, "ID");
  if (typeof rule === "object") return fieldOf(fieldOf(service, "Meta"), rule.meta);
  if (rule === "service-id") return serviceId;
  if (rule === "address") return `${String(host)}:${String(fieldOf(service, "Port"))}`;
  return `${String(fieldOf(node, "Node"))}/${String(serviceId)}`;
}

function severityOf(checks: readonly unknown[]): number {
  return checks.reduce<number>(
    (worst, check) => Math.max(worst, SEVERITY.get(fieldOf(check, "Status")) ?? CRITICAL),
    0,
  );
}
