import { isDeepStrictEqual } from "node:util";
import {
  DEFAULT_TOPOLOGY,
  isProvisioningError,
  SerialQueue,
  type ProviderId,
  type TopologyName,
} from "@holdfast/core";
import type { Directory, ReloadReport } from "holdfast";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { toDefinition } from "./create-directory.ts";
import type { DaemonOutput } from "./daemon-output.ts";

export interface ConfigReloadOptions {
  /** The configuration at the start. */
  readonly loaded: LoadedConfig;
  readonly directory: Directory;
  readonly output: DaemonOutput;
}

/**
 * Brings the current topologies of the configuration into force, with the providers of the configuration or, where it has none, of the
 * store: all of them or, when anything is invalid, none. The adapters are those of the start. Never rejects.
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
    const { loaded, directory, output } = this.#options;
    try {
      const next = await loadConfig(loaded.file, { adapters: loaded.adapters });
      this.#report(next, await directory.reload(toDefinition(next)));
      this.#warnOfRest(next.config);
    } catch (error) {
      if (isProvisioningError(error) && error.category === "lifecycle") return;
      output.failure("reload_refused", "the reload was refused; nothing was changed", error);
    }
  }

  #report({ topologies }: LoadedConfig, report: ReloadReport): void {
    const { directory, output } = this.#options;
    const inForce = new Map(topologies.map(({ name }) => [name, idsOf(directory, name)]));
    const facts = {
      ...report,
      topologies: Object.fromEntries(inForce),
      providers: inForce.get(DEFAULT_TOPOLOGY),
    };
    const [first] = topologies;
    const isShort = topologies.length === 1 && first?.name === DEFAULT_TOPOLOGY;
    const text = isShort ? toShortText(first, inForce.get(first.name) ?? []) : toText(inForce.size, report);
    output.note({ kind: "reloaded", facts, text });
  }

  #warnOfRest(config: LoadedConfig["config"]): void {
    if (isDeepStrictEqual(toRest(config), toRest(this.#options.loaded.config))) return;
    const message = "the other changes of the configuration take effect at the next start";
    this.#options.output.note({ kind: "restart_needed", facts: { message }, text: message });
  }
}

function idsOf(directory: Directory, name: TopologyName): readonly ProviderId[] {
  const registered = directory.find(name)?.service.registry.list() ?? [];
  return registered.map(({ descriptor }) => descriptor.id);
}

type Definition = LoadedConfig["topologies"][number];

function toShortText({ providers }: Definition, inForce: readonly ProviderId[]): string {
  const source = providers === undefined ? "the store" : "the configuration";
  return `in force, from ${source}: ${inForce.join(", ") || "no providers"}`;
}

/** How many topologies of each list a text names. */
const NAMED = 10;

function toText(count: number, report: ReloadReport): string {
  const changes = (["appeared", "disappeared", "changed", "restarted"] as const).flatMap((what) => {
    const names = report[what];
    if (names.length === 0) return [];
    const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
    return [`; ${what}: ${names.slice(0, NAMED).join(", ")}${more}`];
  });
  return `in force: ${count} topologies${changes.join("") || ", as before"}`;
}

/** Returns the settings that a reload does not change. The others are settings of topologies. */
function toRest(config: LoadedConfig["config"]): object {
  const {
    providers: _providers,
    backends: _backends,
    topologies: _topologies,
    discover: _,
    ...rest
  } = config;
  return rest;
}
