import { ProvisioningError, untilAborted, type TopologyNotice } from "@holdfast/core";
import { CallJournal, type PortCall, type PortName, type RecordedCall } from "./call-journal.ts";

export interface RecordingPortOptions {
  /** Shared by ports whose calls should stand in one order. @defaultValue a journal of its own */
  readonly journal?: CallJournal | undefined;
}

export interface HoldOptions {
  /** A held call rejects as its signal aborts. @defaultValue false, as a port that hangs */
  readonly hearsSignal?: boolean | undefined;
}

interface PortCallOptions {
  readonly signal: AbortSignal;
}

/** What the three recording ports share: they write every call down, and fail or hang when told to. */
export abstract class RecordingPort {
  readonly journal: CallJournal;
  readonly #port: PortName;
  #failures: unknown[] = [];
  #gate: (HoldOptions & { readonly released: Promise<void> }) | undefined;

  constructor(port: PortName, options: RecordingPortOptions = {}) {
    this.#port = port;
    this.journal = options.journal ?? new CallJournal();
  }

  /** This port's calls, in the order they began. */
  get calls(): readonly RecordedCall[] {
    return this.journal.calls.filter(({ port }) => port === this.#port);
  }

  /** The notices this port acknowledged. */
  get notices(): readonly TopologyNotice[] {
    return this.calls.flatMap((call) =>
      call.method === "notify" && call.outcome === "done" ? [call.notice] : [],
    );
  }

  /** The next `count` calls reject with the error, whatever they are. */
  failNext(
    count: number,
    error: unknown = new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", "the port was told to fail"),
  ): void {
    this.#failures = Array.from({ length: count }, () => error);
  }

  /** Calls that begin from now on wait until the function returned is called. */
  hold(options: HoldOptions = {}): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const gate = { ...options, released: promise };
    this.#gate = gate;
    return () => {
      if (this.#gate === gate) this.#gate = undefined;
      resolve();
    };
  }

  notify(notice: TopologyNotice, options: PortCallOptions): Promise<void> {
    return this.record({ port: this.#port, method: "notify", notice }, options);
  }

  protected async record(call: PortCall, { signal }: PortCallOptions): Promise<void> {
    const recorded = this.journal.begin(call);
    const gate = this.#gate;
    const isToFail = this.#failures.length > 0;
    const failure = this.#failures.shift();
    try {
      if (gate !== undefined) {
        await untilAborted(gate.released, gate.hearsSignal === true ? signal : undefined);
      }
      if (isToFail) throw failure;
      recorded.outcome = "done";
    } catch (error) {
      recorded.outcome = "failed";
      throw error;
    }
  }
}
