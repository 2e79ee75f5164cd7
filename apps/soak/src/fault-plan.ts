import type { Random } from "@holdfast/core";
import { FAULT_KINDS, type Backend, type FaultKind } from "./backend.ts";

/** One planned fault. With two backends it affects both at the same time. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly backends: readonly Backend[];
}

/** The name of the fault in the report. */
export function nameOf({ kind, backends }: PlannedFault): string {
  return `${backends.map(({ id }) => id).join(" and ")}: ${kind}`;
}

/** Every fault of every backend, and two faults that affect all backends at once: `silence` and `kill`. */
export function allFaults(backends: readonly Backend[]): readonly PlannedFault[] {
  const single = backends.flatMap((backend) =>
    FAULT_KINDS.flatMap((kind) => (backend.faults.has(kind) ? [{ kind, backends: [backend] }] : [])),
  );
  return [...single, { kind: "silence", backends }, { kind: "kill", backends }];
}

/** Every kind of fault once, each on a random backend, and `silence` on all backends at once. */
export function fewestFaults(backends: readonly Backend[], random: Random): readonly PlannedFault[] {
  const single = FAULT_KINDS.map((kind) => {
    const able = backends.filter(({ faults }) => faults.has(kind));
    return { kind, backends: [pick(able, random)] };
  });
  return [...single, { kind: "silence", backends }];
}

/** The items in random order. */
export function shuffle<T>(items: readonly T[], random: Random): readonly T[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!;
}
