import type { MemberSet, ProviderSnapshot, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { compareRevisions } from "../world/backend-answer.ts";
import type { BackendId } from "../script/script.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * The members of a snapshot are exactly those of one response of one backend: not a mixture of two, not a guess because
 * of an error, and not empty unless the response was. An older response of a backend never comes after a newer one, and
 * providers that are not in force contribute nothing.
 */
export class ContentTruth implements Invariant {
  readonly name = "content-truth";
  readonly requirements = "R2.3 R2.4 R2.5";
  readonly #context: InvariantContext;
  readonly #newest = new Map<string, string>();
  #inForce: ReadonlySet<string> = new Set();
  /** When a provider was removed. Its last events may still have been in transit then. */
  readonly #removedAt = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  /**
   * The knowledge of an earlier service does not bind the providers of the next one, but its backends do not go back in
   * time.
   */
  lifeBegan(): void {
    this.#newest.clear();
    this.#inForce = new Set();
  }

  event(event: TopologyEvent): void {
    if (event.kind !== "snapshot") return;
    const { report } = this.#context;
    const { snapshot, delta, seqNo } = event;
    const { providerId, revision = "none" } = snapshot;
    const backend = this.#context.world.backends.get(providerId as BackendId);
    const answer = backend?.ledger.get(revision);
    if (answer === undefined) return report(`${providerId} never reported revision ${revision}`);
    if (!isSameContent(snapshot, answer)) {
      report(
        `tick ${seqNo} has [${idsOf(snapshot.members)}], ${providerId} reported [${idsOf(answer)}] at ${revision}`,
      );
    }
    const newest = this.#newest.get(providerId);
    if (newest !== undefined && compareRevisions(revision, newest) < 0) {
      report(`revision ${revision} of ${providerId} comes after ${newest}`);
    }
    this.#newest.set(providerId, revision);
    const isMark = delta.added.length + delta.updated.length + delta.removed.length === 0;
    const isKnown =
      this.#inForce.has(providerId) ||
      this.#removedAt.get(providerId) === this.#context.world.clock.monotonic();
    if (!isMark && !isKnown) report(`new content of ${providerId}, which is not in force`);
  }

  setChanged(life: Life): void {
    const next = new Set(life.inForce.map(({ descriptor: { id } }) => id));
    const now = this.#context.world.clock.monotonic();
    for (const id of this.#inForce) if (!next.has(id)) this.#removedAt.set(id, now);
    this.#inForce = next;
  }
}

/** Members that are only retained after a switch belong to another provider. */
function isSameContent(snapshot: ProviderSnapshot, answer: MemberSet): boolean {
  const retained = retainedOf(snapshot);
  const own = retained.size === 0 ? snapshot.members : snapshot.members.apply({ remove: retained });
  return own.sum.high === answer.sum.high && own.sum.low === answer.sum.low && own.size === answer.size;
}

export function retainedOf(snapshot: ProviderSnapshot): ReadonlySet<string> {
  const { retained } = snapshot as { readonly retained?: readonly string[] };
  return new Set(retained);
}

function idsOf(members: MemberSet): string {
  return members
    .toArray()
    .map(({ id }) => id)
    .join("");
}
