import { SerialQueue, type Clock } from "@holdfast/core";

/** A document to encode. `key` is one object per version; the pool does not keep it alive. */
export interface BytesSource {
  readonly key: object;
  readonly toPieces: () => Iterable<string>;
}

/** A reader's claim on a document. Dispose of it once everything is sent. */
export interface BytesLease extends Disposable {
  readonly pieces: readonly Uint8Array[];
}

export interface SharedBytesPoolOptions {
  readonly clock: Clock;
  /** Maximum size of all documents together, in bytes. The newest one is kept whatever its size. */
  readonly maxBytes: number;
}

interface Entry {
  readonly pieces: Uint8Array[];
  bytes: number;
  isEvicted: boolean;
  /** For each lease, a function that disconnects its reader. */
  readonly readers: Map<object, () => void>;
}

/** Approximate memory of an entry in addition to its text, in bytes. */
const ENTRY_BYTES = 512;
/** The part of `maxBytes` for documents without readers, which the next reader may need. */
const IDLE_SHARE = 1 / 4;

/**
 * Large documents that are encoded once per version and shared by all of their readers, within one memory budget. When
 * a new version does not fit, the oldest ones are dropped: first those without readers, then the others, whose readers
 * are disconnected. So slow readers cannot keep more than the budget in memory, and a fast reader of the newest version
 * is never disconnected because of them.
 */
export class SharedBytesPool {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #byKey: WeakMap<object, Entry> = new WeakMap();
  /** Oldest first. */
  readonly #entries: Set<Entry> = new Set();
  readonly #idle: Set<Entry> = new Set();
  readonly #builds: SerialQueue = new SerialQueue();
  #bytes = 0;
  #idleBytes = 0;

  constructor({ clock, maxBytes }: SharedBytesPoolOptions) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Current size of all documents, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Leases the document that `find` returns, or returns `undefined` when it returns nothing. `find` is called again
   * when the document's turn to be encoded comes, so that a waiting reader keeps no version in memory; the last result
   * counts. `onEvicted` is called when the reader must be disconnected.
   */
  async lease(find: () => BytesSource | undefined, onEvicted: () => void): Promise<BytesLease | undefined> {
    const source = find();
    if (source === undefined) return undefined;
    const known = this.#find(source.key) ?? this.#encodeIfShort(source);
    if (known !== undefined) return this.#take(known, onEvicted);
    return this.#builds.run(async () => {
      const current = find();
      if (current === undefined) return undefined;
      const encoded = this.#find(current.key);
      return encoded === undefined ? this.#encode(current, onEvicted) : this.#take(encoded, onEvicted);
    });
  }

  #find(key: object): Entry | undefined {
    const entry = this.#byKey.get(key);
    return entry === undefined || entry.isEvicted ? undefined : entry;
  }

  /**
   * A document of one piece is encoded at once, so that a change of a few nodes does not wait for a document of
   * 100,000.
   */
  #encodeIfShort({ key, toPieces }: BytesSource): Entry | undefined {
    const [first, second] = takeTwo(toPieces());
    if (second !== undefined) return undefined;
    const entry = createEntry();
    this.#grow(entry, first ?? "");
    return this.#add(key, entry);
  }

  async #encode({ key, toPieces }: BytesSource, onEvicted: () => void): Promise<BytesLease> {
    const entry = createEntry();
    try {
      for (const piece of toPieces()) {
        this.#grow(entry, piece);
        await this.#clock.yield();
      }
    } catch (error) {
      this.#bytes -= entry.bytes;
      throw error;
    }
    return this.#take(this.#add(key, entry), onEvicted);
  }

  /** An entry that is still being encoded is not in the set of entries yet, so it cannot be evicted. */
  #grow(entry: Entry, text: string): void {
    const piece = Buffer.from(text);
    const bytes = piece.byteLength + (entry.pieces.length === 0 ? ENTRY_BYTES : 0);
    entry.pieces.push(piece);
    entry.bytes += bytes;
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#entries;
      if (oldest === undefined) return;
      this.#evict(oldest);
    }
  }

  #add(key: object, entry: Entry): Entry {
    this.#byKey.set(key, entry);
    this.#entries.add(entry);
    return entry;
  }

  #take(entry: Entry, onEvicted: () => void): BytesLease {
    if (this.#idle.delete(entry)) this.#idleBytes -= entry.bytes;
    const lease = { pieces: entry.pieces, [Symbol.dispose]: () => this.#release(entry, lease) };
    entry.readers.set(lease, onEvicted);
    return lease;
  }

  #release(entry: Entry, lease: object): void {
    if (!entry.readers.delete(lease) || entry.readers.size > 0) return;
    this.#idle.add(entry);
    this.#idleBytes += entry.bytes;
    while (this.#idleBytes > this.#maxBytes * IDLE_SHARE) {
      const [oldest] = this.#idle;
      if (oldest === undefined) return;
      this.#evict(oldest);
    }
  }

  #evict(entry: Entry): void {
    entry.isEvicted = true;
    this.#entries.delete(entry);
    this.#bytes -= entry.bytes;
    if (this.#idle.delete(entry)) this.#idleBytes -= entry.bytes;
    const readers = [...entry.readers.values()];
    entry.readers.clear();
    for (const onEvicted of readers) onEvicted();
  }
}

function createEntry(): Entry {
  return { pieces: [], bytes: 0, isEvicted: false, readers: new Map() };
}

function takeTwo(pieces: Iterable<string>): readonly (string | undefined)[] {
  const [first, second] = pieces;
  return [first, second];
}
