import type { ServerResponse } from "node:http";
import type { Clock } from "@holdfast/core";
import type { LoopShare } from "./loop-share.ts";

export interface ResponseWriterOptions {
  readonly clock: Clock;
  /** A client that does not accept the written bytes within this time is disconnected, in milliseconds. */
  readonly deadlineMs: number;
  /** The limit for the writes of all responses together. */
  readonly share: LoopShare;
}

/**
 * Writes a response at the pace of its client, so that the memory for waiting data is limited to one piece and the
 * socket's buffer.
 */
export class ResponseWriter {
  readonly #outgoing: ServerResponse;
  readonly #options: ResponseWriterOptions;

  constructor(outgoing: ServerResponse, options: ResponseWriterOptions) {
    this.#outgoing = outgoing;
    this.#options = options;
  }

  get isGone(): boolean {
    return this.#outgoing.destroyed || this.#outgoing.socket?.destroyed === true;
  }

  /** Resolves with true once more can be written, with false when the client has gone. Does not reject. */
  async write(piece: Uint8Array | string): Promise<boolean> {
    await this.#options.share.take(piece.length);
    if (this.isGone) return false;
    if (!this.#outgoing.write(piece)) await this.#until("drain");
    return !this.isGone;
  }

  /** Ends the response. Resolves when the socket has accepted it, or the client has gone. */
  async end(): Promise<void> {
    if (this.isGone) return;
    const finished = this.#until("finish");
    this.#outgoing.end();
    await finished;
  }

  /** Closes the connection in the middle of the response, so that the client sees that it is incomplete. */
  disconnect(): void {
    this.#outgoing.destroy();
  }

  async #until(event: "drain" | "finish"): Promise<void> {
    const { clock, deadlineMs } = this.#options;
    const outgoing = this.#outgoing;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _ = clock.schedule(deadlineMs, () => outgoing.destroy());
    outgoing.once(event, resolve);
    outgoing.once("close", resolve);
    await promise;
    outgoing.off(event, resolve);
    outgoing.off("close", resolve);
  }
}
