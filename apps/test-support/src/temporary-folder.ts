import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed after the test. Everything is synchronous, so that it also works while the thread pool hangs. */
export class TemporaryFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "holdfast-"));

  /** The path of a file in it, which need not exist. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Writes a file in place, its old content is cut off first: as JSON unless it is a text. Returns its path. */
  write(name: string, content: unknown): string {
    const path = this.at(name);
    writeFileSync(
      path,
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
    return path;
  }

  /** Writes a new file, which then takes the place of the old one. */
  replace(name: string, content: unknown): void {
    this.write(`${name}.tmp`, content);
    this.rename(`${name}.tmp`, name);
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
