import type { Clock } from "@holdfast/core";
import { describeFailure } from "../adapters/adapter-fault.ts";
import type { AdapterFaults } from "../adapters/adapter-faults.ts";
import type { CodeOrigin } from "../adapters/code-origin.ts";
import type { DaemonOutput } from "./daemon-output.ts";

export interface FaultReportOptions {
  readonly faults: AdapterFaults;
  readonly output: DaemonOutput;
  readonly clock: Clock;
  /** Ends the daemon with this error. */
  readonly fail: (error: unknown) => void;
}

/** Minimum time between two reports of a repeated fault, in milliseconds. */
const REPORT_EVERY_MS = 1_000;

/**
 * Handles errors that were thrown outside of any call. An error of an adapter's code is reported and ends the watches
 * of its provider, and the daemon continues. After any other error the state of the process is unknown, so the daemon
 * ends.
 */
export class FaultReport {
  readonly #options: FaultReportOptions;
  readonly #reported: Map<string, { at: number; unreported: number }> = new Map();

  constructor(options: FaultReportOptions) {
    this.#options = options;
  }

  receive(error: unknown): void {
    const { faults, fail } = this.#options;
    const origin = faults.receive(error);
    if (origin === undefined) fail(error);
    else this.#report(origin, error);
  }

  #report(origin: CodeOrigin, error: unknown): void {
    const { output, clock } = this.#options;
    const { adapter, providerId, isDiscovery = false } = origin;
    const name = JSON.stringify([adapter, providerId, isDiscovery]);
    const now = clock.monotonic();
    const last = this.#reported.get(name);
    if (last !== undefined && now - last.at < REPORT_EVERY_MS) return void last.unreported++;
    this.#reported.set(name, { at: now, unreported: 0 });
    const of = isDiscovery
      ? " of a discovery"
      : providerId === undefined
        ? ""
        : ` of provider "${providerId}"`;
    const what = of === "" ? "its watches were" : "its watch was";
    const repeated =
      last === undefined || last.unreported === 0 ? "" : ` (and ${last.unreported} times before)`;
    output.warning({
      code: "STREAM_FAILED",
      message: `the adapter "${adapter}"${of} failed outside of any call, so ${what} ended and will be retried: ${describeFailure(error)}${repeated}`,
      providerId,
      details: { adapter },
    });
  }
}
