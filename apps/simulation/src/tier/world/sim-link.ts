import { ProvisioningError, sleep, untilAborted, type Clock } from "@holdfast/core";
import type { Transport, TransportResponse } from "@holdfast/client";
import type { FakeServer } from "@holdfast/client/simulated";
import type { Cut, LinkState } from "../script/tier-script.ts";
import { SimPipe } from "./sim-pipe.ts";

export interface SimLinkOptions {
  readonly clock: Clock;
  readonly latencyMs: number;
  /** Undefined while the daemon is down. */
  readonly server: () => FakeServer | undefined;
}

/** The network between a place and a daemon. */
export class SimLink {
  /** When each request was made, in monotonic milliseconds. */
  readonly requestedAt: number[] = [];
  readonly #options: SimLinkOptions;
  readonly #pipes = new Set<SimPipe>();
  /** Ends the connections that only the server still knows. */
  readonly #zombies = new Set<() => void>();
  #state: LinkState = "up";
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: SimLinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  readonly transport: Transport = async (request) => {
    const { clock, latencyMs, server } = this.#options;
    const { signal } = request;
    this.requestedAt.push(clock.monotonic());
    if (latencyMs > 0) await sleep(latencyMs, { clock, signal });
    await this.#passage(signal);
    const target = server();
    if (target === undefined) throw toRefusal(request.url);
    const upstream = new AbortController();
    const response = await target.transport({ ...request, signal: upstream.signal });
    return { ...response, body: this.#pipe(response, upstream, signal).body };
  };

  /** Number of connections that the client has not closed. */
  get openConnections(): number {
    return this.#pipes.size;
  }

  set(state: LinkState): void {
    this.#state = state;
    this.#change.resolve();
    this.#change = Promise.withResolvers();
    for (const pipe of this.#pipes) {
      if (state === "up") pipe.resume();
      else if (state === "refused") pipe.break();
      else if (state === "stalled") pipe.stall();
      else pipe.silence();
    }
  }

  cut(how: Cut): void {
    for (const pipe of this.#pipes) {
      if (how === "half") pipe.halve();
      else pipe.break({ hangsUp: how === "now" });
    }
  }

  /** The servers notice that the clients of zombies have gone. */
  endZombies(): void {
    for (const end of this.#zombies) end();
    this.#zombies.clear();
  }

  /** Resolves when a request gets through; rejects when it never does. */
  async #passage(signal: AbortSignal): Promise<void> {
    let wasSilent = false;
    while (this.#state === "stalled" || this.#state === "silent") {
      wasSilent ||= this.#state === "silent";
      await untilAborted(this.#change.promise, signal);
    }
    if (wasSilent || this.#state === "refused") throw toRefusal("the server");
  }

  #pipe(response: TransportResponse, upstream: AbortController, signal: AbortSignal): SimPipe {
    const hangUp = () => {
      this.#zombies.delete(hangUp);
      upstream.abort();
    };
    this.#zombies.add(hangUp);
    const { clock, latencyMs } = this.#options;
    const onClosed = () => this.#pipes.delete(pipe);
    const pipe = new SimPipe({ clock, latencyMs, response, signal, hangUp, onClosed });
    this.#pipes.add(pipe);
    return pipe;
  }
}

function toRefusal(what: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_REFUSED", `${what} cannot be reached`);
}
