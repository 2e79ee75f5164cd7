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
 * Compares the member ids of two providers, once for each pair of providers. If two providers give the same machines different ids,
 * every failover between them makes every member leave and join again.
 */
export class NamingCheck {
  readonly #onWarning: (warning: ProvisioningError) => void;
  readonly #compared = new Set<string>();

  constructor(onWarning: (warning: ProvisioningError) => void) {
    this.#onWarning = onWarning;
  }

  /** A pair is not compared until both providers have members. */
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

  /** The provider was replaced: its pairs are compared again. */
  forget(id: ProviderId): void {
    for (const pair of this.#compared) if (pair.split(" ").includes(id)) this.#compared.delete(pair);
  }
}

/**
 * Returns a machine that both sets list under different ids. Returns `undefined` if at least as many machines have equal ids as have
 * different ones.
 */
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
    `"${a}" and "${b}" give the same members different ids: ${address} is "${ids[0]}" in "${a}" and "${ids[1]}" in "${b}"; ` +
    `every failover between them shows each member twice for a while; make the ids equal, for Consul and Kubernetes with the parameter "nodeId"`;
  return new ProvisioningError("TOPOLOGY_IDS_DIFFER", message, {
    details: { providerId: b, providers, address, ids, parameter: "nodeId" },
  });
}
