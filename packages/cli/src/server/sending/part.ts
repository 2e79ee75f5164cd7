import { crc32 } from "node:zlib";
import { deflatePart } from "./gzip.ts";

/** Bytes to send, with and without the frame of a chunk (RFC 9112, section 7.1). Both are the same memory. */
export interface Framed {
  readonly body: Uint8Array;
  readonly chunk: Uint8Array;
}

const LINE_END = Uint8Array.of(13, 10);

export function toFramed(bytes: Uint8Array): Framed {
  const size = Buffer.from(`${bytes.byteLength.toString(16)}\r\n`, "latin1");
  const chunk = Buffer.concat([size, bytes, LINE_END]);
  return { chunk, body: chunk.subarray(size.byteLength, -LINE_END.byteLength) };
}

/** A part of a response, encoded once and shared by all responses with that part. */
export class Part {
  readonly plain: Framed;
  #deflated: Framed | undefined;
  /** The last two values of `crcAfter`. Responses that began with the same bytes ask for the same ones. */
  #crcBefore = -1;
  #crcAfter = 0;

  constructor(content: Uint8Array | string) {
    this.plain = toFramed(typeof content === "string" ? Buffer.from(content) : content);
  }

  /** The part as deflate blocks; compressed at the first call. */
  get deflated(): Framed {
    return (this.#deflated ??= toFramed(deflatePart(this.plain.body)));
  }

  get isDeflated(): boolean {
    return this.#deflated !== undefined;
  }

  /** Memory of both forms, in bytes. */
  get bytes(): number {
    return this.plain.chunk.byteLength + (this.#deflated?.chunk.byteLength ?? 0);
  }

  /** The CRC-32 of everything up to the end of this part; `before`: of everything up to its start. */
  crcAfter(before: number): number {
    if (this.#crcBefore !== before) {
      this.#crcAfter = crc32(this.plain.body, before);
      this.#crcBefore = before;
    }
    return this.#crcAfter;
  }
}
