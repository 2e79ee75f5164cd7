import type { ProviderHealth, ProviderHealthReport } from "@holdfast/core";
import type { TopologyMetricGroup } from "./metric-group.ts";
import { setOneHot } from "./set-one-hot.ts";
import type { GaugeSeries } from "./topology-series.ts";

const HEALTHS: readonly ProviderHealth[] = [
  "idle",
  "connecting",
  "healthy",
  "degraded",
  "unreachable",
  "disabled",
];

/** The health of every provider, read at each scrape. */
export class ProviderMetrics {
  readonly #health: GaugeSeries<"provider" | "health">;
  readonly #active: GaugeSeries<"provider">;
  readonly #errors: GaugeSeries<"provider">;
  readonly #lastUpdate: GaugeSeries<"provider">;

  constructor(group: TopologyMetricGroup) {
    this.#health = group.collected({
      name: "provider_health",
      help: "Health of the provider: 1 for its current health, 0 for the others.",
      labels: ["provider", "health"],
    });
    this.#active = group.collected({
      name: "provider_active",
      help: "1 for the active provider, 0 for the others.",
      labels: ["provider"],
    });
    this.#errors = group.collected({
      name: "provider_consecutive_errors",
      help: "Consecutive failures of the provider.",
      labels: ["provider"],
    });
    this.#lastUpdate = group.collected({
      name: "provider_last_update_timestamp_seconds",
      help: "Time of the provider's last snapshot or heartbeat, in seconds since 1970; absent before the first.",
      labels: ["provider"],
    });
  }

  collect(reports: readonly ProviderHealthReport[]): void {
    // Series of removed providers must not remain.
    for (const gauge of [this.#health, this.#active, this.#errors, this.#lastUpdate]) gauge.reset();
    for (const { providerId: provider, health: current, isActive, errors, lastUpdateAt } of reports) {
      setOneHot(this.#health, HEALTHS, current, (health) => ({ provider, health }));
      this.#active.set({ provider }, isActive ? 1 : 0);
      this.#errors.set({ provider }, errors);
      if (lastUpdateAt !== undefined) this.#lastUpdate.set({ provider }, lastUpdateAt / 1_000);
    }
  }
}
