import { isDeepStrictEqual } from "node:util";
import { isProvisioningError, SerialQueue } from "@holdfast/core";
import type { ProvisioningService } from "@holdfast/provisioning";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import type { DaemonOutput } from "./daemon-output.ts";

export interface ConfigReloadOptions {
  /** The configuration at the start. */
  readonly loaded: LoadedConfig;
  readonly service: ProvisioningService;
  readonly output: DaemonOutput;
}

/**
 * Brings the current providers of the configuration, or of the store if the configuration has none, into force: all of
 * them or, when anything is invalid, none. The adapters are those of the start. Never rejects.
 */
export class ConfigReload {
  readonly #options: ConfigReloadOptions;
  readonly #queue: SerialQueue = new SerialQueue();
  #isWaiting = false;

  constructor(options: ConfigReloadOptions) {
    this.#options = options;
  }

  /** A request that arrives while another one is waiting is covered by that one. */
  async request(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await this.#queue.run(async () => {
      this.#isWaiting = false;
      await this.#reload();
    });
  }

  async #reload(): Promise<void> {
    const { loaded, service, output } = this.#options;
    const { registry } = service;
    try {
      const { providers, config } = await loadConfig(loaded.file, { adapters: loaded.adapters });
      const inForce = await (providers === undefined ? registry.restore() : registry.reload(providers));
      const source = providers === undefined ? "the store" : "the configuration";
      const ids = inForce.map(({ descriptor }) => descriptor.id);
      const text = `in force, from ${source}: ${ids.length === 0 ? "no providers" : ids.join(", ")}`;
      output.note({ kind: "reloaded", facts: { providers: ids }, text });
      this.#warnOfRest(config);
    } catch (error) {
      if (isProvisioningError(error) && error.category === "lifecycle") return;
      output.failure("reload_refused", "the reload was refused; the providers are unchanged", error);
    }
  }

  #warnOfRest(config: LoadedConfig["config"]): void {
    const { providers: _current, ...rest } = config;
    const { providers: _previous, ...before } = this.#options.loaded.config;
    if (isDeepStrictEqual(rest, before)) return;
    const message = "the other changes of the configuration take effect at the next start";
    this.#options.output.note({ kind: "restart_needed", facts: { message }, text: message });
  }
}
