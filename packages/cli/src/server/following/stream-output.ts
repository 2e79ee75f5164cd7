import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { acceptsGzip, GZIP_HEADER, toGzipTrailer } from "../sending/gzip.ts";
import { toFramed, type Part } from "../sending/part.ts";

export interface StreamOutputOptions {
  readonly outgoing: ServerResponse;
  readonly headers: Readonly<Record<string, string>>;
  /** The header `Accept-Encoding` of the request. */
  readonly acceptEncoding: string | undefined;
  /** Called when the client has accepted everything that was written, after `send` returned false. */
  readonly onAccepted: () => void;
}

/**
 * The body of a response without an end. Shared bytes are written to the socket as they are: `ServerResponse.write` would frame them for
 * each client again.
 */
export class StreamOutput {
  readonly isDeflated: boolean;
  readonly #outgoing: ServerResponse;
  readonly #socket: Socket;
  readonly #isChunked: boolean;
  readonly #onAccepted: () => void;
  readonly #onWritten = () => {
    // Earlier writes end as well, and later ones may have begun.
    if (!this.#isWaiting || this.#socket.writableLength > 0) return;
    this.#isWaiting = false;
    this.#onAccepted();
  };
  #isWaiting = false;
  /** Of the uncompressed content so far. */
  #crc = 0;
  #size = 0;

  /** Sends the header of the response. */
  constructor({ outgoing, headers, acceptEncoding, onAccepted }: StreamOutputOptions) {
    this.#outgoing = outgoing;
    this.#socket = outgoing.socket!;
    this.#onAccepted = onAccepted;
    this.isDeflated = acceptsGzip(acceptEncoding);
    outgoing.writeHead(200, { ...headers, ...(this.isDeflated && { "content-encoding": "gzip" }) });
    outgoing.flushHeaders();
    // Clients of HTTP/1.0 do not know chunks.
    this.#isChunked = outgoing.chunkedEncoding;
    if (this.isDeflated) this.#write(GZIP_HEADER);
  }

  /** True while the client has not accepted what was written. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  get isGone(): boolean {
    return this.#socket.destroyed;
  }

  /** The bytes of a part in the encoding of this response. The parts have to be sent in the order of the calls. */
  encode(part: Part): Uint8Array {
    if (this.isDeflated) {
      this.#crc = part.crcAfter(this.#crc);
      this.#size += part.plain.body.byteLength;
    }
    const { chunk, body } = this.isDeflated ? part.deflated : part.plain;
    return this.#isChunked ? chunk : body;
  }

  /** Writes encoded parts. Returns false when the client has not accepted all of it yet. */
  send(batch: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) socket.write(first, this.#onWritten);
    else {
      // One system call for all of them.
      socket.cork();
      for (const bytes of batch) socket.write(bytes, this.#onWritten);
      socket.uncork();
    }
    this.#isWaiting = socket.writableLength > 0;
    return !this.#isWaiting;
  }

  /** Ends the response. `onFinished` is called when the client has accepted it. */
  end(onFinished: () => void): void {
    if (this.isDeflated) this.#write(toGzipTrailer(this.#crc, this.#size));
    this.#outgoing.end(onFinished);
  }

  /** Closes the connection. */
  destroy(): void {
    this.#outgoing.destroy();
  }

  #write(bytes: Uint8Array): void {
    this.#socket.write(this.#isChunked ? toFramed(bytes).chunk : bytes);
  }
}
