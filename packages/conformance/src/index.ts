// For tests and simulations that own time and chance.
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.ts";
export { createSeededRandom } from "./seeded-random.ts";
