import {
  createDeadline,
  ProvisioningError,
  toProvisioningError,
  untilAborted,
  type Clock,
  type TopologyName,
} from "@holdfast/core";

/** A checked change of one topology that waits to be saved and brought into force. */ import { untilLate } from "./until-late.ts";

export interface PreparedPart extends Disposable {
  save(): Promise<void>;
  revert(): Promise<void>;
}

export interface PartFailure {
  readonly topology: TopologyName;
  readonly error: ProvisioningError;
}

export interface JointChangeOptions {
  readonly clock: Clock;
  /** A save that takes longer fails, in milliseconds. */
  readonly saveTimeoutMs: number;
}

/** How many topologies the message of an error names. */
const NAMED_IN_ERROR = 5;

/**
 * Prepares and saves the changes of several topologies, all or none: when any of them fails, those that were saved are reverted, and all
 * are disposed of. Resolves with the prepared parts, which the caller then brings into force. Rejects with one error that names every
 * topology that failed in the same phase.
 */
export async function prepareJointly<P extends PreparedPart>(
  tasks: ReadonlyMap<TopologyName, () => Promise<P>>,
  options: JointChangeOptions,
): Promise<ReadonlyMap<TopologyName, P>> {
  const parts = new Map<TopologyName, P>();
  try {
    const prepared = await runAll(
      [...tasks],
      async ([, prepare]) => await prepare(),
      (name, part) => parts.set(name, part),
    );
    throwFailures(prepared);
    const saved: P[] = [];
    const failures = await runAll(
      [...parts],
      ([, part]) => saveInTime(part, options),
      (name) => saved.push(parts.get(name)!),
    );
    if (failures.length > 0) {
      const reverting = Promise.all(saved.map((part) => part.revert()));
      await untilLate(reverting, options.saveTimeoutMs, options.clock);
    }
    throwFailures(failures);
    return parts;
  } catch (error) {
    for (const part of parts.values()) part[Symbol.dispose]();
    throw error;
  }
}

async function saveInTime(
  part: PreparedPart,
  { clock, saveTimeoutMs: afterMs }: JointChangeOptions,
): Promise<void> {
  const error = () => new ProvisioningError("STORE_IO", `the save was not finished within ${afterMs} ms`);
  using deadline = createDeadline({ afterMs, clock, error });
  await untilAborted(part.save(), deadline.signal);
}

async function runAll<I extends readonly [TopologyName, unknown], R>(
  items: readonly I[],
  run: (item: I) => Promise<R>,
  onDone: (name: TopologyName, result: R) => void,
): Promise<readonly PartFailure[]> {
  const failures: PartFailure[] = [];
  await Promise.all(
    items.map(async (item) => {
      const [topology] = item;
      try {
        onDone(topology, await run(item));
      } catch (error) {
        failures.push({
          topology,
          error: toProvisioningError(error, "LIFECYCLE_INTERNAL", "an unexpected error occurred"),
        });
      }
    }),
  );
  return failures;
}

/** Throws one error that names every topology that failed, with the code of the first one. Returns when there are no failures. */
export function throwFailures(failures: readonly PartFailure[]): void {
  const [first] = failures;
  if (first === undefined) return;
  const named = failures
    .slice(0, NAMED_IN_ERROR)
    .map(({ topology, error }) => `"${topology}": ${error.message}`);
  if (failures.length > named.length) named.push(`and ${failures.length - named.length} more`);
  const text =
    failures.length === 1
      ? `the topology ${named.join()}`
      : `${failures.length} topologies failed: ${named.join("; ")}`;
  throw new ProvisioningError(first.error.code, text, {
    retryable: failures.every(({ error }) => error.retryable),
    details: {
      ...(failures.length === 1 && { ...first.error.details, topology: first.topology }),
      failures: failures.map(({ topology, error: { code, message } }) => ({ topology, code, message })),
    },
    cause: failures.length === 1 ? first.error : new AggregateError(failures.map(({ error }) => error)),
  });
}
