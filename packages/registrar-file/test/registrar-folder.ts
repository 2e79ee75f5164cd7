import { readdirSync, readFileSync } from "node:fs";
import { createClusterNode, type ClusterNodeInput, type Registration } from "@holdfast/core";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { VirtualClock } from "@holdfast/testing";
import { fileRegistrar } from "../src/file-registrar.ts";

/** A folder in which registrations are opened, each as another process. */
export class RegistrarFolder implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly #temporary = new TemporaryFolder();
  readonly path: string = this.#temporary.at("members");
  readonly #opened: Registration[] = [];

  open(node: Partial<ClusterNodeInput> = {}, ttlMs = 1_000): Registration {
    const self = createClusterNode({ id: "a", host: "10.0.0.1", port: 7_001, ...node });
    const registration = fileRegistrar({ folder: this.path, ttlMs }).open(self, { clock: this.clock });
    this.#opened.push(registration);
    return registration;
  }

  names(): readonly string[] {
    return readdirSync(this.path).sort();
  }

  read(name: string): unknown {
    return JSON.parse(readFileSync(`${this.path}/${name}`, "utf8"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const registration of this.#opened) await registration[Symbol.asyncDispose]();
    this.#temporary[Symbol.dispose]();
  }
}
