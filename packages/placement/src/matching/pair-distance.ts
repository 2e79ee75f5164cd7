import { mixHash } from "@holdfast/core";

/** The draw of a partition and a node: an integer in [0, 2^32), the same in every process. */
export function drawOf(partitionHash: number, nodeHash: number): number {
  return mixHash(Math.imul(nodeHash ^ partitionHash, 0x9e3779b1) ^ partitionHash) >>> 0;
}

/**
 * The distance of a node from a partition, at least 0: the smallest one owns the partition. This is weighted rendezvous hashing
 * (Schindelhauer and Schomaker, 2005): with draws `u` in (0, 1], the smallest of `-log(u) / weight` belongs to a node with a
 * probability in proportion to its weight.
 */
export function distanceOf(draw: number, weight: number): number {
  return (32 - log2(draw + 1)) / weight;
}

/**
 * The logarithm of an integer in [1, 2^32]. `Math.log2` may differ between JavaScript engines in the last digit; this uses only
 * operations whose results IEEE 754 defines, so that every process computes the same owners.
 */
function log2(value: number): number {
  const exponent = value === 2 ** 32 ? 32 : 31 - Math.clz32(value);
  const mantissa = value / 2 ** exponent;
  // ln(m) = 2 artanh((m - 1) / (m + 1)); for m in [1, 2) the twelfth term is below the precision of a double.
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum = 0;
  for (let power = 29; power >= 1; power -= 2) sum = sum * square + 1 / power;
  return exponent + 2 * ratio * sum * Math.LOG2E;
}
