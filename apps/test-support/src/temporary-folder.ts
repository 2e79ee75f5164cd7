import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed on disposal. All operations are synchronous, so they also work while the thread pool is blocked. */
export class TemporaryFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "holdfast-"));

  /** Returns the path of a file in the folder. The file need not exist. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Overwrites a file in place, with text or bytes as they are and anything else as JSON. Returns its path. */
  write(name: string, content: unknown): string {
    const path = this.at(name);
    writeFileSync(
      path,
      typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content),
    );
    return path;
  }

  /** Writes a new file and renames it over the old one. */
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
