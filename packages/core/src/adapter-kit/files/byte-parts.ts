/** So many parts are kept as they came before they are joined. */
const MAX_LOOSE = 1_024;

/**
 * Bytes that come in parts. However small the parts are, what is kept of them is about as large as the bytes: a sender of
 * single bytes cannot make every one of them cost a hundred.
 */
export class ByteParts {
  readonly #parts: Uint8Array[] = [];
  /** How many at the beginning are joined ones. */
  #joined = 0;
  #length = 0;

  get byteLength(): number {
    return this.#length;
  }

  /** How many parts are kept now. */
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

  /** All of them as one, which shares the memory of a single part; none are left. */
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
