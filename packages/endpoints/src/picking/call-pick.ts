import type { Clock } from "@holdfast/core";
import type { CallOutcome } from "../call-report.ts";
import type { CallRecord } from "../ejection/call-record.ts";
import type { Endpoint } from "../endpoint.ts";
import type { PickedCall } from "./picker.ts";

/** What the picks of one client share. */
export interface CallSink {
  /** Calls that are not done. */
  inFlight: number;
  /** Monotonic milliseconds. Absent when latencies are not used. */
  readonly clock?: Pick<Clock, "monotonic"> | undefined;
  /** Takes the outcome of a call that began in the current round of the member. */
  finish(record: CallRecord, outcome: CallOutcome, latencyMs: number | undefined): void;
}

/** A pick that keeps the counts of its member. */
export class CallPick implements PickedCall {
  readonly endpoint: Endpoint;
  readonly #record: CallRecord;
  readonly #sink: CallSink;
  readonly #round: number;
  readonly #startedAt: number | undefined;
  #isDone = false;

  constructor(record: CallRecord, sink: CallSink) {
    this.endpoint = record.endpoint;
    this.#record = record;
    this.#sink = sink;
    this.#round = record.round;
    this.#startedAt = sink.clock?.monotonic();
    sink.inFlight++;
  }

  done(outcome: CallOutcome, latencyMs?: number): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const record = this.#record;
    record.inFlight--;
    this.#sink.inFlight--;
    if (record.round !== this.#round) return;
    if (record.phase.kind === "probing") record.probes--;
    this.#sink.finish(record, outcome, latencyMs ?? this.#measure());
  }

  [Symbol.dispose](): void {
    this.done("cancelled");
  }

  #measure(): number | undefined {
    const { clock } = this.#sink;
    return clock && clock.monotonic() - this.#startedAt!;
  }
}
