import { Part } from "./part.ts";

/** A run of text that documents can share. Only for `DocumentPool`. */
export interface EncodedSection {
  readonly parts: readonly Part[];
  bytes: number;
  /** Number of documents with this section. */
  users: number;
  readonly key?: object | undefined;
}

/** Approximate memory of a section in addition to its text, in bytes. */
export const SECTION_BYTES = 512;

/** An encoded document. Its parts are sent one after the other. */
export class SharedDocument {
  /** One part, which counts only while it is held. */
  readonly isShort: boolean;
  /** For each reader, a function that disconnects it. Only for `DocumentPool`. */
  readonly readers: Map<object, () => void> = new Map();
  /** Only for `DocumentPool`. */
  isRetired = false;
  #sections: readonly EncodedSection[];
  #parts: readonly Part[];
  #isEvicted = false;

  constructor(sections: readonly EncodedSection[], isShort: boolean) {
    this.#sections = sections;
    this.#parts = sections.flatMap(({ parts }) => parts);
    this.isShort = isShort;
  }

  /** A document of one part. */
  static ofText(text: string): SharedDocument {
    const part = new Part(text);
    return new SharedDocument([{ parts: [part], bytes: part.bytes + SECTION_BYTES, users: 1 }], true);
  }

  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** True when the pool has dropped the document to make room for others. It has no parts any more. */
  get isEvicted(): boolean {
    return this.#isEvicted;
  }

  get isDeflated(): boolean {
    return this.#parts.every((part) => part.isDeflated);
  }

  /** Only for `DocumentPool`. */
  get sections(): readonly EncodedSection[] {
    return this.#sections;
  }

  get bytes(): number {
    return this.#sections.reduce((sum, section) => sum + section.bytes, 0);
  }

  /** Drops the text. Only for `DocumentPool`. */
  evict(): void {
    this.#isEvicted = true;
    this.#sections = [];
    this.#parts = [];
  }
}
