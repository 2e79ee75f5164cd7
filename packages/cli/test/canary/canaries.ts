import { findSecret } from "@holdfast/testing";

/** Recognisable secrets, different for each place, so that a leaked one shows where it was used. */
export class Canaries {
  readonly #places = new Map<string, string>();

  /** Returns the secret of a place. */
  at(place: string): string {
    const secret = this.#places.get(place) ?? `c4n4ry-${place}-5eCr3t+${this.#places.size}/x`;
    this.#places.set(place, secret);
    return secret;
  }

  get count(): number {
    return this.#places.size;
  }

  /** Finds the secrets that occur in the text in any form, as `place as form`. */
  findIn(text: string): readonly string[] {
    return [...this.#places].flatMap(([place, secret]) =>
      findSecret(text, secret).map((form) => `the secret of "${place}" as ${form}`),
    );
  }
}
