import type { Clock, Random } from "@holdfast/core";
import { toAgentKey, type AgentAccess } from "./agent-access.ts";
import { ConsulAgent } from "./consul-agent.ts";

/** A user's part of an agent. Dispose of it when the user closes. */
export interface AgentLease extends Disposable {
  readonly agent: ConsulAgent;
}

interface UsedAgent {
  readonly agent: ConsulAgent;
  /** The `maxBlockingQueries` of each user. */
  readonly limits: Set<{ readonly maxBlockingQueries: number }>;
}

/** The agents that the providers and discoveries of one adapter use. Users with an equal access share one. */
export class ConsulAgents {
  readonly #used = new Map<string, UsedAgent>();

  /** The lowest `maxBlockingQueries` of the users of an agent applies. */
  lease(
    access: AgentAccess,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ): AgentLease {
    const { addresses, maxBlockingQueries } = access;
    const key = toAgentKey(access);
    const used = this.#used.get(key) ?? {
      agent: new ConsulAgent({ addresses, maxBlockingQueries, clock, random }),
      limits: new Set(),
    };
    this.#used.set(key, used);
    const limit = { maxBlockingQueries };
    used.limits.add(limit);
    applyLimit(used);
    return {
      agent: used.agent,
      [Symbol.dispose]: () => {
        used.limits.delete(limit);
        if (used.limits.size > 0) applyLimit(used);
        else if (this.#used.get(key) === used) this.#used.delete(key);
      },
    };
  }
}

function applyLimit({ agent, limits }: UsedAgent): void {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { maxBlockingQueries } of limits) lowest = Math.min(lowest, maxBlockingQueries);
  agent.setMaxBlockingQueries(lowest);
}
