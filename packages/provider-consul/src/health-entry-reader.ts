import {
  createNodeReader,
  fieldOf,
  listOf,
  textOf,
  toSkipReason,
  type ClusterNode,
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
    const host = this.#hostOf(service, node);
    const id = toId(this.#params.nodeId, service, node, host);
    const input = { id, host, ...this.#restOf(service, node, severity) };
    try {
      return this.#readNode(input, id === undefined ? undefined : find(id));
    } catch (error) {
      return { skipped: toSkipReason(error) };
    }
  }

  /** All but id and host; not checked yet. */
  #restOf(service: unknown, node: unknown, severity: number): Readonly<Record<string, unknown>> {
    const { zoneMeta } = this.#params;
    const meta = fieldOf(service, "Meta");
    const zone = fieldOf(meta, zoneMeta) ?? fieldOf(fieldOf(node, "Meta"), zoneMeta);
    const weight = fieldOf(fieldOf(service, "Weights"), severity === 0 ? "Passing" : "Warning");
    return {
      port: fieldOf(service, "Port"),
      tags: fieldOf(service, "Tags") ?? undefined,
      metadata: meta ?? undefined,
      ...(zone !== undefined && zone !== "" && { zone }),
      ...(weight !== undefined && { weight }),
    };
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

/** Undefined, which is no id, where a part of it is not of the form it must have. */
function toId(rule: NodeIdRule, service: unknown, node: unknown, host: unknown): string | undefined {
  if (typeof rule === "object") return textOf(fieldOf(service, "Meta"), rule.meta);
  if (rule === "address") {
    const port = fieldOf(service, "Port");
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
