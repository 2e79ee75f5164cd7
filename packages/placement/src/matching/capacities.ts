import type { NodeSlot } from "./node-slot.ts";

/**
 * Sets how many partitions each node may hold: its share by weight times `maxLoad`, rounded up (consistent hashing with bounded
 * loads; Mirrokni, Thorup and Zadimoghaddam, 2016), but at least one more than its share rounded up. Without that one, nodes with
 * shares of one or two partitions would mostly be full, and each change would move a chain of partitions.
 */
export function setCapacities(slots: readonly NodeSlot[], partitions: number, maxLoad: number): void {
  let total = 0;
  for (const { weight } of slots) total += weight;
  for (const slot of slots) {
    const share = (partitions * slot.weight) / total;
    slot.capacity = Math.max(Math.ceil(maxLoad * share), Math.ceil(share) + 1);
  }
}
