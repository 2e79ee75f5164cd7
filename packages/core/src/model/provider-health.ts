/**
 * `idle`: not watched (a cold standby). `connecting`: watched, nothing heard yet. `healthy`: alive and current.
 * `degraded`: failing fewer than `maxErrors` times, late, or not vouching for its content. `unreachable`: given up until it shows life again. `disabled`: never
 * activated.
 */
export type ProviderHealth = "idle" | "connecting" | "healthy" | "degraded" | "unreachable" | "disabled";
