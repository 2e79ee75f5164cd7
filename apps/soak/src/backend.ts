import type { ProviderDescriptorInput } from "@holdfast/core";
import type { SoakMember } from "./population.ts";

/**
 * What can go wrong with one backend. `reset`, `fin`: the connection breaks in the middle of a body; `latency`: all is slow;
 * `errors`: answers are 500; `freeze`: the server is stopped where it stands; `kill`: `kill -9`, and started again on its port.
 */
export const FAULT_KINDS = [
  "reset",
  "fin",
  "silence",
  "latency",
  "refused",
  "errors",
  "freeze",
  "kill",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  begin(): Promise<void> | void;
  /** Resolves once the backend works again. */
  end(): Promise<void> | void;
}

/** A real server, and the way to it that the service under test takes. */
export interface Backend extends AsyncDisposable {
  readonly id: "kubernetes" | "consul";
  readonly version: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly faults: ReadonlyMap<FaultKind, Fault>;
  /** Writes these places as the population has them now. May be repeated. */
  write(places: Iterable<number>): Promise<void>;
  /** What the server itself says. */
  list(): Promise<readonly SoakMember[]>;
}

export function toDescriptor(
  { id, params }: Pick<Backend, "id" | "params">,
  priority: number,
): ProviderDescriptorInput {
  return { id, kind: id, priority, params };
}
