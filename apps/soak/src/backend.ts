import type { ProviderDescriptorInput } from "@holdfast/core";
import type { SoakMember } from "./population.ts";

/**
 * The faults of one backend. `reset`, `fin`: connections break in the middle of a body; `silence`: connections stay
 * open but carry no data; `latency`: everything arrives late; `refused`: connections are reset at once; `errors`: every
 * response has the status 500; `freeze`: the server process is stopped by SIGSTOP and continued; `kill`: the process is
 * killed by SIGKILL and started again on the same port.
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

/** A real server, and the address through which the service under test reaches it. */
export interface Backend extends AsyncDisposable {
  readonly id: "kubernetes" | "consul";
  readonly version: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly faults: ReadonlyMap<FaultKind, Fault>;
  /** Writes the current members of these places. May be repeated. */
  write(places: Iterable<number>): Promise<void>;
  /** Reads the members directly from the server. */
  list(): Promise<readonly SoakMember[]>;
}

export function toDescriptor(
  { id, params }: Pick<Backend, "id" | "params">,
  priority: number,
): ProviderDescriptorInput {
  return { id, kind: id, priority, params };
}
