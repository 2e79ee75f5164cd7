import type { ClusterProvider, ProviderId } from "@holdfast/core";
import type { ProviderSet } from "./provider-set.ts";
import type { RegistryWarning } from "./registry-events.ts";

/** Disposes of instances in the background, so that an instance that hangs delays only callers of `settled`. */
export class InstanceDisposal {
  readonly #running = new Set<Promise<void>>();
  readonly #warn: (warning: RegistryWarning) => void;

  constructor(warn: (warning: RegistryWarning) => void) {
    this.#warn = warn;
  }

  start(id: ProviderId, provider: ClusterProvider): void {
    const disposal = this.#dispose(id, provider).finally(() => this.#running.delete(disposal));
    this.#running.add(disposal);
  }

  /** Disposes of every instance of `providers` that is not in `kept`. */
  startForRest(providers: ProviderSet, kept: ProviderSet): void {
    const isKept = new Set(kept);
    for (const registered of providers) {
      const { descriptor, provider } = registered;
      if (provider !== undefined && !isKept.has(registered)) this.start(descriptor.id, provider);
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #dispose(id: ProviderId, provider: ClusterProvider): Promise<void> {
    try {
      await provider[Symbol.asyncDispose]();
    } catch (cause) {
      const message = `"${id}" could not be disposed of`;
      this.#warn({ code: "LIFECYCLE_INTERNAL", message, providerId: id, cause });
    }
  }
}
