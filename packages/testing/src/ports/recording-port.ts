import { ProvisioningError, untilAborted, type TopologyNotice } from "@holdfast/core";
import { CallJournal, type PortCall, type PortName, type RecordedCall } from "./call-journal.ts";

export interface RecordingPortOptions {
  /** Pass the same journal to several ports to record their calls in one order. @defaultValue a new journal */
  readonly journal?: CallJournal | undefined;
}

export interface HoldOptions {
  /** True: a held call rejects when its signal aborts. @defaultValue false, like a port that hangs */
  readonly heedsSignal?: boolean | undefined;
}

interface PortCallOptions {
  readonly signal: AbortSignal;
}

/** Base class of the recording ports: records every call, and fails or waits on request. */
export abstract class RecordingPort {
  readonly journal: CallJournal;
  readonly #port: PortName;
  #failures: unknown[] = [];
  #gate: (HoldOptions & { readonly released: Promise<void> }) | undefined;

  constructor(port: PortName, options: RecordingPortOptions = {}) {
    this.#port = port;
    this.journal = options.journal ?? new CallJournal();
  }

  /** The calls of this port, in the order in which they began. */
  get calls(): readonly RecordedCall[] {
    return this.journal.calls.filter(({ port }) => port === this.#port);
  }

  /** The acknowledged notices. */
  get notices(): readonly TopologyNotice[] {
    return this.calls.flatMap((call) =>
      call.method === "notify" && call.outcome === "done" ? [call.notice] : [],
    );
  }

  /** Makes the next `count` calls of any kind reject with the error. */
  failNext(
    count: number,
    error: unknown = new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", "the port fails on request"),
  ): void {
    this.#failures = Array.from({ length: count }, () => error);
  }

  /** Makes calls that begin from now on wait until the returned function is called. */
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
    const mustFail = this.#failures.length > 0;
    const failure = this.#failures.shift();
    try {
      if (gate !== undefined) {
        await untilAborted(gate.released, gate.heedsSignal === true ? signal : undefined);
      }
      if (mustFail) throw failure;
      recorded.outcome = "done";
    } catch (error) {
      recorded.outcome = "failed";
      throw error;
    }
  }
}
