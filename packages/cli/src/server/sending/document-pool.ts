import { SerialQueue, type Clock } from "@holdfast/core";
import { Part } from "./part.ts";
import { SECTION_BYTES, SharedDocument, type EncodedSection } from "./shared-document.ts";

/** A run of text within a document. */
export interface Section {
  /** Documents with a section of the same key share its bytes. Undefined: it belongs to one document. */
  readonly key?: object | undefined;
  readonly toPieces: () => Iterable<string>;
}

/** A document to encode. `key` is one object per version; the pool does not keep it alive. */
export interface DocumentSource {
  readonly key: object;
  readonly sections: Iterable<Section>;
}

export interface DocumentPoolOptions {
  readonly clock: Clock;
  /** Maximum size of all documents together, in bytes. The newest one is sent whatever its size. */
  readonly maxBytes: number;
}

export interface EncodingOptions {
  /** True: the parts are compressed as well. */
  readonly isDeflated: boolean;
}

/** Returned when encoding takes more than one turn of the event loop. */
type Eventual<T> = T | Promise<T>;

/** A document of up to this many characters is short: it is one part, and is encoded at once. */
const SHORT_LENGTH = 16_384;
/** Size of the other parts, in bytes. The last one of a section is smaller. 512 members of the usual size are one part. */
const PART_BYTES = 131_072;
/** The part of `maxBytes` for documents without readers other than the newest one, which the next reader may need. */
const IDLE_SHARE = 1 / 4;

/**
 * Encodes documents once for all of their readers, within one memory budget. Documents share the sections that they have in common, so a
 * version of the topology with one changed member costs one section. When a new document does not fit, the oldest ones are dropped: first
 * those without readers, then the others, whose readers are disconnected. So slow readers cannot keep more than the budget in memory, and
 * a fast reader of the newest version is never disconnected because of them. A short document counts only while it is held.
 */
export class DocumentPool {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #byKey: WeakMap<object, SharedDocument> = new WeakMap();
  readonly #sections: WeakMap<object, EncodedSection> = new WeakMap();
  /** The documents with readers, oldest first. */
  readonly #held: Set<SharedDocument> = new Set();
  /** The documents without readers, oldest first. */
  readonly #idle: Set<SharedDocument> = new Set();
  readonly #builds: SerialQueue = new SerialQueue();
  #bytes = 0;

  constructor({ clock, maxBytes }: DocumentPoolOptions) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** Current size of all documents, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Returns the document that `find` returns, or `undefined` when it returns nothing. `find` is called again when the document's turn to
   * be encoded comes, so that a waiting reader keeps no version in memory; the last result counts.
   */
  get(
    find: () => DocumentSource | undefined,
    options: EncodingOptions,
  ): Eventual<SharedDocument | undefined> {
    const source = find();
    if (source === undefined) return undefined;
    const known = this.#find(source.key);
    if (known === undefined) {
      const text = toShortText(source.sections);
      if (text !== undefined) return SharedDocument.ofText(text);
    } else if (!options.isDeflated || known.isDeflated) return known;
    return this.#builds.run(async () => {
      // The reader of the document before has to hold it first.
      await this.#clock.yield();
      const current = find();
      if (current === undefined) return undefined;
      const document = this.#find(current.key) ?? (await this.#encode(current));
      if (options.isDeflated) await this.#deflate(document);
      return document;
    });
  }

  /**
   * Keeps a document until the result is disposed of. `onEvicted` is called when the reader has to be disconnected, because the memory is
   * needed for others.
   */
  hold(document: SharedDocument, onEvicted: () => void): Disposable {
    const { readers, isShort, isEvicted } = document;
    const reader = { [Symbol.dispose]: () => this.#release(document, reader) };
    const isFirst = readers.size === 0;
    readers.set(reader, onEvicted);
    if (isFirst && !isEvicted) {
      this.#idle.delete(document);
      this.#held.add(document);
      if (isShort) this.#grow(document.bytes);
    }
    return reader;
  }

  /** No further reader will want this document. It is dropped when it has none. */
  retire(document: SharedDocument): void {
    document.isRetired = true;
    if (this.#idle.has(document)) this.#evict(document);
  }

  #release(document: SharedDocument, reader: object): void {
    const { readers, isShort } = document;
    if (!readers.delete(reader) || readers.size > 0 || document.isEvicted) return;
    this.#held.delete(document);
    if (isShort) {
      this.#bytes -= document.bytes;
      return;
    }
    this.#idle.add(document);
    this.#trimIdle();
    if (document.isRetired || this.#bytes > this.#maxBytes) this.#evict(document);
  }

  #find(key: object): SharedDocument | undefined {
    const document = this.#byKey.get(key);
    return document?.isEvicted === true ? undefined : document;
  }

  async #encode({ key, sections }: DocumentSource): Promise<SharedDocument> {
    const encoded: EncodedSection[] = [];
    try {
      for (const section of sections)
        encoded.push(this.#reuse(section.key) ?? (await this.#encodeSection(section)));
    } catch (error) {
      for (const section of encoded) this.#drop(section);
      throw error;
    }
    const document = new SharedDocument(encoded, false);
    this.#byKey.set(key, document);
    this.#idle.add(document);
    this.#trimIdle();
    return document;
  }

  #reuse(key: object | undefined): EncodedSection | undefined {
    const section = key && this.#sections.get(key);
    if (section !== undefined) section.users++;
    return section;
  }

  /** A section that is being encoded is not part of a document yet, so it cannot be evicted. */
  async #encodeSection({ key, toPieces }: Section): Promise<EncodedSection> {
    const parts: Part[] = [];
    const section: EncodedSection = { key, parts, bytes: 0, users: 1 };
    const add = (text: string) => {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.byteLength; at += PART_BYTES) {
        const part = new Part(bytes.subarray(at, at + PART_BYTES));
        parts.push(part);
        this.#growSection(section, part.bytes);
      }
    };
    this.#growSection(section, SECTION_BYTES);
    let text = "";
    try {
      for (const piece of toPieces()) {
        text += piece;
        if (text.length >= PART_BYTES) {
          add(text);
          text = "";
        }
        await this.#clock.yield();
      }
    } catch (error) {
      this.#drop(section);
      throw error;
    }
    add(text);
    if (key !== undefined) this.#sections.set(key, section);
    return section;
  }

  async #deflate(document: SharedDocument): Promise<void> {
    for (const section of document.sections)
      for (const part of section.parts) {
        if (document.isEvicted) return;
        if (part.isDeflated) continue;
        this.#growSection(section, part.deflated.chunk.byteLength);
        await this.#clock.yield();
      }
  }

  #growSection(section: EncodedSection, bytes: number): void {
    section.bytes += bytes;
    this.#grow(bytes);
  }

  /** Counts memory that is in use now, and drops the oldest documents until it fits. */
  #grow(bytes: number): void {
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) {
      const [oldest] = this.#idle.size > 0 ? this.#idle : this.#held;
      if (oldest === undefined) return;
      this.#evict(oldest);
    }
  }

  /** Drops the older documents without readers. */
  #trimIdle(): void {
    let bytes = 0;
    for (const [age, document] of [...this.#idle].toReversed().entries()) {
      bytes += document.bytes;
      if (age > 0 && bytes > this.#maxBytes * IDLE_SHARE) this.#evict(document);
    }
  }

  #evict(document: SharedDocument): void {
    this.#held.delete(document);
    this.#idle.delete(document);
    if (document.isShort) this.#bytes -= document.bytes;
    else for (const section of document.sections) this.#drop(section);
    document.evict();
    const readers = [...document.readers.values()];
    document.readers.clear();
    for (const onEvicted of readers) onEvicted();
  }

  #drop(section: EncodedSection): void {
    if (--section.users > 0) return;
    this.#bytes -= section.bytes;
    if (section.key !== undefined) this.#sections.delete(section.key);
  }
}

/** Returns the text of a short document, or `undefined` when the document is longer. */
function toShortText(sections: Iterable<Section>): string | undefined {
  let text = "";
  for (const { toPieces } of sections)
    for (const piece of toPieces()) {
      text += piece;
      if (text.length > SHORT_LENGTH) return undefined;
    }
  return text;
}
