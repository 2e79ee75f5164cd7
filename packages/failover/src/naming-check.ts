import {
  ProvisioningError,
  type MemberSet,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
} from "@holdfast/core";
import { addressOf } from "./address-of.ts";

interface Pair {
  readonly address: string;
  readonly ids: readonly [NodeId, NodeId];
}

/**
 * Compares the member ids of providers, once for each pair. Two providers that give the same machines different ids would make
 * every failover a leave and a join of every member.
 */
export class NamingCheck {
  readonly #onWarning: (warning: ProvisioningError) => void;
  readonly #compared = new Set<string>();

  constructor(onWarning: (warning: ProvisioningError) => void) {
    this.#onWarning = onWarning;
  }

  /** A pair in which one has no member yet is compared later. */
  compare(
    active: ProviderId,
    snapshot: ProviderSnapshot,
    others: ReadonlyMap<ProviderId, ProviderSnapshot>,
  ): void {
    for (const [other, { members }] of others) {
      const pair = [active, other].sort().join(" ");
      if (this.#compared.has(pair) || members.size === 0 || snapshot.members.size === 0) continue;
      this.#compared.add(pair);
      const example = findRenamed(snapshot.members, members);
      if (example !== undefined) this.#onWarning(toWarning([active, other], example));
    }
  }

  /** The provider is another one from now on: its pairs are compared again. */
  forget(id: ProviderId): void {
    for (const pair of this.#compared) if (pair.split(" ").includes(id)) this.#compared.delete(pair);
  }
}

/** A machine that both list under different ids, if more machines have different ids than equal ones. */
export function findRenamed(a: MemberSet, b: MemberSet): Pair | undefined {
  const byAddress = new Map(a.toArray().map((node) => [addressOf(node), node.id]));
  let example: Pair | undefined;
  let balance = 0;
  for (const node of b) {
    const address = addressOf(node);
    const id = byAddress.get(address);
    if (id === undefined) continue;
    balance += id === node.id ? -1 : 1;
    if (id !== node.id) example ??= { address, ids: [id, node.id] };
  }
  return balance > 0 ? example : undefined;
}

function toWarning(providers: readonly [ProviderId, ProviderId], { address, ids }: Pair): ProvisioningError {
  const [a, b] = providers;
  const message =
    `"${a}" and "${b}" name the same members differently: ${address} is "${ids[0]}" for "${a}" and "${ids[1]}" for "${b}"; ` +
    `every failover between them shows each member twice for a while; make the ids equal, for Consul and Kubernetes with the parameter "nodeId"`;
  return new ProvisioningError("TOPOLOGY_IDS_DIFFER", message, {
    details: { providerId: b, providers, address, ids, parameter: "nodeId" },
  });
}
