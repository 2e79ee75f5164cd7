import type { Random } from "./backoff.ts";

/** The random source of this process: the default wherever a `Random` is accepted. */
// oxlint-disable-next-line no-restricted-properties -- the only place that touches the platform's random source
export const systemRandom: Random = () => Math.random();
