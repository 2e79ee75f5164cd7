import { ProvisioningError, type Clock } from "@holdfast/core";

/** The default of Consul's `limits.http_max_conns_per_client`. */
const MAX_CONNECTIONS = 200;

/**
 * Counts the connections of one process as Consul 1.8 does: the connection of a blocking query that its client has aborted is
 * open until the wait of the query is over. Further connections are reset.
 */
export class ConnectionCount {
  /** The largest number of connections at the same time. */
  peak = 0;
  /** The number of connections that were reset. */
  refused = 0;
  readonly #clock: Clock;
  #open = 0;
  #closingAt: readonly number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws `STREAM_FAILED` when there are too many. */
  open(): void {
    const now = this.#clock.monotonic();
    this.#closingAt = this.#closingAt.filter((at) => at > now);
    const count = this.#open + this.#closingAt.length;
    if (count >= MAX_CONNECTIONS) {
      this.refused++;
      throw new ProvisioningError("STREAM_FAILED", "the connection was reset");
    }
    this.#open++;
    this.peak = Math.max(this.peak, count + 1);
  }

  /** `at` is the time at which the server closes the connection. */
  close(at: number): void {
    this.#open--;
    if (at > this.#clock.monotonic()) this.#closingAt = [...this.#closingAt, at];
  }

  /** The server has been stopped. */
  reset(): void {
    this.#closingAt = [];
  }
}
