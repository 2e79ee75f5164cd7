import type { DirectoryWarning } from "../directory/directory-warning.ts";

/** Emits a warning again only after it has changed, or after its problem had disappeared. */
export class WarnOnce {
  readonly #emit: (warning: DirectoryWarning) => void;
  readonly #messages = new Map<string, string>();

  constructor(emit: (warning: DirectoryWarning) => void) {
    this.#emit = emit;
  }

  /** `key` identifies the problem. */
  report(key: string, warning: DirectoryWarning): void {
    if (this.#messages.get(key) === warning.message) return;
    this.#messages.set(key, warning.message);
    this.#emit(warning);
  }

  /** The problem no longer exists. */
  clear(key: string): void {
    this.#messages.delete(key);
  }

  /** Of the problems whose keys start with `prefix`, only those whose other part is in `keys` may still exist. */
  keepOnly(prefix: string, keys: { has(key: string): boolean }): void {
    for (const key of this.#messages.keys()) {
      if (key.startsWith(prefix) && !keys.has(key.slice(prefix.length))) this.#messages.delete(key);
    }
  }

  /** Reports exactly these problems; all others whose keys start with `prefix` no longer exist. */
  reportAll(prefix: string, warnings: ReadonlyMap<string, DirectoryWarning>): void {
    this.keepOnly(prefix, warnings);
    for (const [key, warning] of warnings) this.report(prefix + key, warning);
  }
}
