/** Number of parts to collect before they are merged into one buffer. */
const MAX_LOOSE = 1_024;

/**
 * Collects bytes that arrive in parts. The memory it uses is proportional to the number of bytes, however small the
 * parts are: a sender of single bytes cannot make each of them cost a hundred.
 */
export class ByteParts {
  readonly #parts: Uint8Array[] = [];
  /** The number of merged parts at the start of the list. */
  #joined = 0;
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  /** The current number of parts. */
  get count(): number {
    return this.#parts.length;
  }

  add(part: Uint8Array): void {
    if (part.byteLength === 0) return;
    this.#parts.push(part);
    this.#length += part.byteLength;
    if (this.#parts.length - this.#joined < MAX_LOOSE) return;
    const loose = this.#parts.splice(this.#joined);
    this.#joined = this.#parts.push(Buffer.concat(loose));
  }

  /** Returns all bytes as one buffer and removes them. The buffer of a single part shares its memory. */
  take(): Buffer {
    const parts = this.#parts.splice(0);
    const length = this.#length;
    this.#joined = 0;
    this.#length = 0;
    const [only] = parts;
    if (only === undefined || parts.length > 1) return Buffer.concat(parts, length);
    return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  }
}
