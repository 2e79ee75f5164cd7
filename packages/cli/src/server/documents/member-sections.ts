import type { ClusterNode, MemberSet } from "@holdfast/core";
import { toItemPieces } from "../../output/json-pieces.ts";
import type { Section } from "../sending/document-pool.ts";

type Chunk = readonly ClusterNode[];

/** Divides the JSON text of members into sections, one for each chunk of the set, so that versions share those that did not change. */
export class MemberSections {
  /** The key of a chunk that is the first one: its text does not start with a comma. */
  readonly #firstKeys: WeakMap<Chunk, object> = new WeakMap();

  /** The items of a JSON array, without its brackets. */
  of(members: MemberSet | undefined): readonly Section[] {
    return (members?.chunks ?? []).map((chunk, index) =>
      index === 0
        ? { key: this.#firstKeyOf(chunk), toPieces: () => toItemPieces(chunk) }
        : { key: chunk, toPieces: () => afterComma(toItemPieces(chunk)) },
    );
  }

  #firstKeyOf(chunk: Chunk): object {
    const known = this.#firstKeys.get(chunk);
    if (known !== undefined) return known;
    const key = {};
    this.#firstKeys.set(chunk, key);
    return key;
  }
}

function* afterComma(pieces: Iterable<string>): Generator<string, void> {
  let separator = ",";
  for (const piece of pieces) {
    yield separator + piece;
    separator = "";
  }
}
