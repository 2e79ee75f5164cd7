import type { TracedCall } from "./traced-call.ts";

export type Errno = "EIO" | "ENOSPC" | "EROFS" | "EMFILE";

/** A fault that is injected into one system call of a save. */
export interface SavingFault {
  readonly call: TracedCall;
  /** An error that the kernel returns instead of executing the call, or a kill of the process before the call. */
  readonly effect: Errno | "SIGKILL";
  /** Whether later calls of the same name fail too, as on a disk that stays full. */
  readonly isLasting: boolean;
}

/** Returns the value for strace's `-e inject=`. */
export function toInjection({ call, effect, isLasting }: SavingFault): string {
  const what = effect === "SIGKILL" ? "signal=SIGKILL" : `error=${effect}`;
  return `${call.name}:${what}:when=${call.ordinal}${isLasting ? "+" : ""}`;
}

export function describeFault({ call, effect, isLasting }: SavingFault): string {
  return `${effect} at ${call.name} #${call.ordinal} (${call.paths.join(", ")})${isLasting ? " and from then on" : ""}`;
}

const ERRORS = ["EIO", "ENOSPC", "EROFS", "EMFILE"] as const;

/** One error for each call, in rotation. */
export function errorsInTurn(calls: readonly TracedCall[]): readonly SavingFault[] {
  return calls.map((call, index) => ({ call, effect: ERRORS[index % 4]!, isLasting: false }));
}

/** EIO and SIGKILL for each call, and for every third call one of the other errors, in rotation. */
export function mostFaults(calls: readonly TracedCall[]): readonly SavingFault[] {
  return calls.flatMap((call, index): readonly SavingFault[] => [
    { call, effect: "EIO", isLasting: false },
    { call, effect: "SIGKILL", isLasting: false },
    ...(index % 3 === 0 ? [{ call, effect: ERRORS[1 + ((index / 3) % 3)]!, isLasting: false }] : []),
  ]);
}

/** For each call: SIGKILL, and each error once and lasting. */
export function allFaults(calls: readonly TracedCall[]): readonly SavingFault[] {
  return calls.flatMap((call): readonly SavingFault[] => [
    { call, effect: "SIGKILL", isLasting: false },
    ...ERRORS.flatMap((effect) => [
      { call, effect, isLasting: false },
      { call, effect, isLasting: true },
    ]),
  ]);
}
