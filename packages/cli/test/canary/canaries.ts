import { findSecret } from "@holdfast/testing";

/** Recognisable secrets, each its own, so that one that got out says where it had been put. */
export class Canaries {
  readonly #places = new Map<string, string>();

  /** The secret of this place. */
  at(place: string): string {
    const secret = this.#places.get(place) ?? `c4n4ry-${place}-5eCr3t+${this.#places.size}/x`;
    this.#places.set(place, secret);
    return secret;
  }

  get count(): number {
    return this.#places.size;
  }

  /** Which secrets stand in the text, in whatever form: `place as form`. */
  findIn(text: string): readonly string[] {
    return [...this.#places].flatMap(([place, secret]) =>
      findSecret(text, secret).map((form) => `the secret of "${place}" as ${form}`),
    );
  }
}
