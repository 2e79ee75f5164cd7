import { createClusterNode, ProvisioningError, type ClusterNode, type KnownGood } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { Failover } from "../src/failover.ts";
import type { GuardOptions } from "../src/guard-policy.ts";
import { UpdateFacts } from "./update-facts.ts";

export const node = (id: string): ClusterNode => createClusterNode({ id, host: `${id}.local`, port: 80 });
export const nodes = (...ids: readonly string[]): readonly ClusterNode[] => ids.map(node);
export const TEN: readonly string[] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];

/** Ends the stream of the provider, and refuses every further watch. */
export function lose(provider: MemoryProvider): void {
  provider.refuse(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
  provider.end();
}

interface Setup {
  readonly guards?: GuardOptions;
  readonly primary?: readonly string[];
  readonly backup?: readonly string[];
  readonly known?: KnownGood;
  readonly maxAgeMs?: number;
  readonly isRefusing?: boolean;
  readonly isHanging?: boolean;
}

export interface GuardedFailover {
  readonly clock: VirtualClock;
  readonly primary: MemoryProvider;
  readonly backup: MemoryProvider;
  readonly failover: Failover;
  readonly facts: UpdateFacts;
  /** Describes all facts since the last call except changes of health. Retained members are in parentheses. */
  readonly takeFacts: () => readonly string[];
  /** Ends the run, and checks that no timer is left. */
  readonly end: () => Promise<void>;
}

/** A running failover over two memory providers. */
export async function createGuardedFailover({
  guards,
  primary: p = TEN,
  backup: b = TEN,
  known,
  maxAgeMs = 60_000,
  isRefusing,
  isHanging,
}: Setup): Promise<GuardedFailover> {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: nodes(...p) });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: nodes(...b) });
  if (isRefusing === true) {
    for (const provider of [primary, backup]) {
      lose(provider);
    }
  }
  if (isHanging === true) for (const provider of [primary, backup]) provider.hang();
  const providers = [primary, backup];
  const failover = new Failover({ providers, clock, random: createSeededRandom(1), guards });
  if (known !== undefined) failover.restore({ known, maxAgeMs });
  const stop = new AbortController();
  const facts = new UpdateFacts();
  const running = failover.run({ signal: stop.signal, onUpdate: facts.onUpdate });
  await clock.settle();
  const takeFacts = () =>
    facts.all.splice(0).flatMap((fact) => {
      if (fact.type === "snapshot") {
        const { providerId, members, retained = [] } = fact.snapshot;
        const all = [...members].map(({ id }) => (retained.includes(id) ? `(${id})` : id));
        return `${providerId}: ${all.join(" ")}`;
      }
      if (fact.type === "switched") return `${fact.switched.from} > ${fact.switched.to}`;
      if (fact.type === "availability") return fact.availability;
      if (fact.type === "hold_over") return `${fact.hold.guard} ended`;
      if (fact.type !== "hold") return [];
      const { guard, nodes: count, until } = fact.hold;
      return `${guard} holds ${count} for ${until - clock.now()} ms`;
    });
  const end = async () => {
    stop.abort();
    await running;
    await failover[Symbol.asyncDispose]();
    if (clock.pendingTimers !== 0) throw new Error(`${clock.pendingTimers} timers are left`);
  };
  return { clock, primary, backup, failover, takeFacts, facts, end };
}
