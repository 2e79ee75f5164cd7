import type { PortCall } from "@holdfast/testing";
import type { Life } from "./life.ts";

/** A call of a port and its outcome. */
export interface PortRecord {
  readonly call: PortCall;
  readonly life: Life;
  readonly seqNo: number;
  /** Aborts when the service gives the call up. */
  readonly signal: AbortSignal;
  /** The outcome of the call itself; the service may have given it up in the meantime. */
  outcome: "pending" | "done" | "failed";
}

export function seqNoOf(call: PortCall): number {
  switch (call.method) {
    case "applySnapshot":
      return call.tick.seqNo;
    case "publishLeases":
      return call.leases.seqNo;
    case "applyEvents":
      return call.events[0]?.seqNo ?? 0;
    default:
      return call.notice.seqNo;
  }
}

/** Describes the call for the trace. */
export function describeCall(call: PortCall): string {
  const name = `${call.port}.${call.method} ${seqNoOf(call)}`;
  switch (call.method) {
    case "applySnapshot": {
      const { snapshot, status } = call.tick;
      return `${name} ${snapshot.providerId} ${snapshot.hash} ${status}`;
    }
    case "publishLeases":
      return `${name} ${call.leases.leases.map(({ nodeId }) => nodeId).join(",")}`;
    case "applyEvents":
      return `${name} ${call.events.map(({ kind, node: { id, host, port } }) => `${kind} ${id}=${host}:${port}`).join(", ")}`;
    default: {
      const { notice } = call;
      return `${name} ${notice.kind}${notice.kind === "status_changed" ? ` ${notice.to}` : ""}`;
    }
  }
}
