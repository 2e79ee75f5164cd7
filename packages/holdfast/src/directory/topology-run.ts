import {
  createBackoff,
  sleep,
  toProvisioningError,
  type Clock,
  type ProvisioningError,
  type Random,
} from "@holdfast/core";
import type { PreparedStart, ProvisioningService, StopOptions, StopReport } from "@holdfast/provisioning";
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
  readonly topology: Topology;
  readonly #options: TopologyRunOptions;
  readonly #identity: { name: string; isRequired: boolean; isDiscovered: boolean };
  readonly #stop = new AbortController();
  #definition: TopologyDefinition;
  #isStarted = false;
  #retrying: Promise<void> = Promise.resolve();
  /** Ends the wait before the next attempt. */
  #resting = new AbortController();
  #reported = "";

  constructor(options: TopologyRunOptions) {
    const { definition, service, isDiscovered } = options;
    this.#options = options;
    this.#definition = definition;
    this.#identity = {
      name: definition.name,
      isRequired: definition.required ?? !isDiscovered,
      isDiscovered,
    };
    this.topology = new Topology(service, this.#identity);
  }

  get name(): string {
    return this.#identity.name;
  }

  get definition(): TopologyDefinition {
    return this.#definition;
  }

  get service(): ProvisioningService {
    return this.#options.service;
  }

  /** Whether an attempt to start has succeeded. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Whether its owner has closed it. */
  get isEnded(): boolean {
    const { status } = this.topology.state;
    return status === "draining" || status === "stopped";
  }

  /** Replaces the definition by one with the same settings; its providers must be in force. */
  redefine(definition: TopologyDefinition): void {
    this.#definition = definition;
    this.#identity.isRequired = definition.required ?? !this.#identity.isDiscovered;
  }

  /** Makes the first attempt to start. Resolves with its failure, after which further attempts follow. Never rejects. */
  async start(after?: Promise<void>): Promise<ProvisioningError | undefined> {
    await after;
    const failure = await this.#attempt();
    if (failure !== undefined && !this.#stop.signal.aborted) this.#retrying = this.#retry();
    return failure;
  }

  /** Brings a prepared start into force. Never rejects: it can only fail when the run has ended. */
  async startPrepared(prepared: PreparedStart, after: Promise<void>): Promise<void> {
    await after;
    try {
      await prepared.apply();
      this.#isStarted = true;
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#report(toStartError(error));
    }
  }

  /** Makes the next attempt to start now, if an earlier one has failed. */
  retryNow(): void {
    this.#resting.abort();
  }

  /** Drains the consumers and releases all resources. Never rejects. */
  async end(options?: StopOptions): Promise<StopReport> {
    this.#stop.abort();
    this.#resting.abort();
    const report = await this.topology.close(options);
    await this.#retrying;
    return report;
  }

  async #attempt(): Promise<ProvisioningError | undefined> {
    const { service, starts } = this.#options;
    const { signal } = this.#stop;
    const { providers } = this.#definition;
    try {
      await starts.run(() => service.tryStart({ providers, signal }), signal);
      this.#isStarted = true;
      return undefined;
    } catch (cause) {
      const error = toStartError(cause);
      if (!signal.aborted) this.#report(error);
      return error;
    }
  }

  /** Never rejects. */
  async #retry(): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = createBackoff({ initialMs: RETRY_INITIAL_MS, maxMs: RETRY_MAX_MS, random });
    while (!this.#isStarted && !this.#stop.signal.aborted) {
      const { signal } = this.#resting;
      await sleep(backoff.nextMs(), { clock, signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      this.#resting = new AbortController();
      await this.#attempt();
    }
  }

  #report(error: ProvisioningError): void {
    if (error.message === this.#reported) return;
    this.#reported = error.message;
    this.#options.onFailure(error);
  }
}

function toStartError(error: unknown): ProvisioningError {
  return toProvisioningError(error, "LIFECYCLE_INTERNAL", "the start failed unexpectedly");
}
