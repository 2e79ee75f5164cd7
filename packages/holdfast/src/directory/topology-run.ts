import {
  createBackoff,
  sleep,
  toProvisioningError,
  type Clock,
  type ProvisioningError,
  type Random,
} from "@holdfast/core";
import type { ProvisioningService, StopOptions, StopReport } from "@holdfast/provisioning";
import { Topology } from "../topology.ts";
import type { BoundedQueue } from "./bounded-queue.ts";
import type { TopologyDefinition } from "./topology-definition.ts";

export interface TopologyRunOptions {
  readonly definition: TopologyDefinition;
  readonly service: ProvisioningService;
  readonly isDiscovered: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Paces the starts of all topologies. */
  readonly starts: BoundedQueue;
  /** Called with the failure of an attempt to start; for equal failures in a row, only for the first. */
  readonly onFailure: (error: ProvisioningError) => void;
}

const RETRY_INITIAL_MS = 2_000;
const RETRY_MAX_MS = 60_000;

/** One topology from its start to its end. A start that fails is repeated, with backoff, until it succeeds or the run ends. */
export class TopologyRun {
  readonly definition: TopologyDefinition;
  readonly topology: Topology;
  readonly #options: TopologyRunOptions;
  readonly #stop = new AbortController();
  #isStarted = false;
  #retrying: Promise<void> = Promise.resolve();
  #reported = "";

  constructor(options: TopologyRunOptions) {
    const { definition, service, isDiscovered } = options;
    const { name, required } = definition;
    this.#options = options;
    this.definition = definition;
    this.topology = new Topology(service, { name, isRequired: required ?? !isDiscovered, isDiscovered });
  }

  get name(): string {
    return this.definition.name;
  }

  /** Whether an attempt to start has succeeded. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Makes the first attempt to start. Resolves with its failure, after which further attempts follow. Never rejects. */
  async start(): Promise<ProvisioningError | undefined> {
    const failure = await this.#attempt();
    if (failure !== undefined && !this.#stop.signal.aborted) this.#retrying = this.#retry();
    return failure;
  }

  /** Drains the consumers and releases all resources. Never rejects. */
  async end(options?: StopOptions): Promise<StopReport> {
    this.#stop.abort();
    const report = await this.topology.close(options);
    await this.#retrying;
    return report;
  }

  async #attempt(): Promise<ProvisioningError | undefined> {
    const { service, definition, starts } = this.#options;
    const { signal } = this.#stop;
    try {
      await starts.run(() => service.tryStart({ providers: definition.providers, signal }), signal);
      this.#isStarted = true;
      return undefined;
    } catch (cause) {
      const error = toProvisioningError(cause, "LIFECYCLE_INTERNAL", "the start failed unexpectedly");
      if (!signal.aborted) this.#report(error);
      return error;
    }
  }

  /** Never rejects. */
  async #retry(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    const backoff = createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS, random });
    while (!this.#isStarted && !signal.aborted) {
      await sleep(backoff.nextMs(), { clock, signal }).catch(() => undefined);
      if (!signal.aborted) await this.#attempt();
    }
  }

  #report(error: ProvisioningError): void {
    if (error.message === this.#reported) return;
    this.#reported = error.message;
    this.#options.onFailure(error);
  }
}
