/**
 * `idle`: not watched (a cold standby). `connecting`: watched, nothing received yet. `healthy`: alive and current.
 * `degraded`: failed fewer than `maxErrors` times in a row, late, or not confirming its content. `unreachable`: not
 * used until it delivers again. `disabled`: never activated.
 */
export type ProviderHealth = "idle" | "connecting" | "healthy" | "degraded" | "unreachable" | "disabled";
