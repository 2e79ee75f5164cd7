import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { file } from "@holdfast/provider-file";
import { ProvisioningService } from "@holdfast/provisioning";
import { FileProviderStore } from "@holdfast/store-file";
import { stateOf, type SavedState, type Saver } from "./saving-subject.ts";

/** Highest priority first: the first one is active. */
const SETS: Readonly<Record<SavedState, readonly string[]>> = {
  old: ["old-1", "old-2"],
  new: ["new-1", "old-1"],
  next: ["next-1"],
  last: ["last-1", "last-2", "old-2"],
};

/** A service on real files. A save is a reload of its registry. */
export class ServiceSaver implements Saver {
  readonly warnings: string[] = [];
  readonly #folder: string;
  readonly #storeFile: string;
  #service: ProvisioningService | undefined;
  #edits = 0;

  constructor(folder: string, storeFile: string) {
    this.#folder = folder;
    this.#storeFile = storeFile;
  }

  /** Returns the set in force. First edits the file of the active provider and waits for the change, to prove that it is watched. */
  async load(): Promise<SavedState> {
    const { registry, topology } = await this.#started();
    const inForce = registry.list().map(({ descriptor }) => descriptor.id);
    if (inForce[0] !== undefined) await this.#waitForEdit(inForce[0], topology);
    return stateOf(SETS, (ids) => isDeepStrictEqual(ids, inForce));
  }

  async save(state: SavedState): Promise<void> {
    await mkdir(join(this.#folder, "topology"), { recursive: true });
    const ids = SETS[state];
    for (const id of ids) await this.#write(id);
    const { registry } = await this.#started();
    await registry.reload(
      ids.map((id, index) => ({ id, kind: "file", priority: ids.length - index, params: toParams(id) })),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.[Symbol.asyncDispose]();
  }

  /** Returns a started service. A service whose start failed is replaced at the next call. */
  async #started(): Promise<ProvisioningService> {
    const service = (this.#service ??= this.#create());
    try {
      await service.start();
      return service;
    } catch (error) {
      this.#service = undefined;
      throw error;
    }
  }

  #create(): ProvisioningService {
    const service = new ProvisioningService({
      adapters: [file.createAdapter({ baseDir: join(this.#folder, "topology") })],
      store: new FileProviderStore({ path: this.#storeFile }),
      health: { backoffInitialMs: 20, backoffMaxMs: 50, cooldownMs: 50 },
    });
    service.on("warning", ({ code }) => this.warnings.push(code));
    return service;
  }

  async #write(id: string): Promise<string> {
    const member = `${id}-${process.pid}-${++this.#edits}`;
    const path = join(this.#folder, "topology", `${id}.json`);
    await writeFile(
      `${path}.tmp`,
      JSON.stringify({ members: [{ id: member, host: `${id}.test`, port: 1 }] }),
    );
    await rename(`${path}.tmp`, path);
    return member;
  }

  async #waitForEdit(id: string, topology: ProvisioningService["topology"]): Promise<void> {
    const member = await this.#write(id);
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => topology.state.snapshot?.members.has(member) === true && resolve();
    const stop = topology.onEvent(look);
    look();
    await promise.finally(stop);
  }
}

function toParams(id: string): object {
  return { path: `${id}.json`, pollMs: 100, settleMs: 20 };
}
