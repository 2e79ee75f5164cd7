import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterNodeInput } from "@holdfast/core";

/** A folder that is gone after the test. Everything is synchronous, so that it works while the thread pool is stuck. */
export class TempFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "holdfast-file-"));

  at(name: string): string {
    return join(this.path, name);
  }

  /** In place: the old content is cut off first. */
  write(name: string, content: string): void {
    writeFileSync(this.at(name), content);
  }

  /** Through a new file that takes the old one's place. */
  replace(name: string, content: string): void {
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

export function toJson(members: readonly ClusterNodeInput[]): string {
  return JSON.stringify({ version: 1, members });
}

/** Nodes of which the n-th has the port given for it, `node-0`, `node-1` and so on. */
export function nodesWithPorts(...ports: readonly number[]): readonly ClusterNodeInput[] {
  return ports.map((port, index) => ({ id: `node-${index}`, host: "10.0.0.1", port }));
}
