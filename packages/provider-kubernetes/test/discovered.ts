import {
  isProvisioningError,
  type DiscoveryEvent,
  type ProvisioningError,
  type ServiceDiscovery,
} from "@holdfast/core";
import { time } from "./watched.ts";

const PATIENCE_MS = 10_000;

/** Reads a discovery without pause, and records all of its events. */
export class DiscoveryRecording {
  readonly events: DiscoveryEvent[] = [];
  /** Resolves with the error of the discovery; undefined when it ended. */
  readonly over: Promise<unknown>;
  readonly #stop = new AbortController();

  constructor(discovery: ServiceDiscovery) {
    this.over = this.#read(discovery);
  }

  /** All events with a list. */
  get lists(): readonly Extract<DiscoveryEvent, { readonly type: "services" }>[] {
    return this.events.filter((event) => event.type === "services");
  }

  get heartbeats(): number {
    return this.events.filter(({ type }) => type === "heartbeat").length;
  }

  /** The names in the last list. */
  get names(): readonly string[] | undefined {
    return this.lists.at(-1)?.services.map(({ name }) => name);
  }

  abort(): void {
    this.#stop.abort();
  }

  /** Waits until the last list has exactly these names. */
  async shows(...names: readonly string[]): Promise<void> {
    await this.until(
      () => this.names?.join() === names.join(),
      `the Services ${names.join()}, not ${String(this.names)}`,
    );
  }

  async until(isDone: () => boolean, what: string): Promise<void> {
    let isOver = false;
    void this.over.then(() => (isOver = true));
    for (let waited = 0; !isDone(); waited += 5) {
      if (isOver || waited > PATIENCE_MS) throw new Error(`no ${what}: ${JSON.stringify(this.events)}`);
      await time.advance(5);
    }
  }

  async failure(): Promise<ProvisioningError> {
    const error = await time.until(this.over, PATIENCE_MS);
    if (isProvisioningError(error)) return error;
    throw new Error(`the discovery did not fail: ${String(error)}`);
  }

  async #read(discovery: ServiceDiscovery): Promise<unknown> {
    try {
      for await (const event of discovery.services({ signal: this.#stop.signal })) this.events.push(event);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}
