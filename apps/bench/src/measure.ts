/** One line of the report. A figure that is compared or judged also has `against` or `goal`. */
export interface Figure {
  readonly name: string;
  readonly members?: number;
  readonly value: number;
  readonly unit: "ms" | "us" | "ns" | "bytes" | "MiB" | "count" | "ratio";
  readonly against?: string;
  readonly goal?: string;
  readonly isMet?: boolean;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function toLine({ name, members, value, unit, goal, isMet }: Figure): string {
  const size = members === undefined ? "" : members.toLocaleString("en");
  const number = value < 10 ? value.toFixed(3) : value < 1_000 ? value.toFixed(1) : value.toFixed(0);
  const verdict = goal === undefined ? "" : `goal ${goal}: ${isMet === true ? "met" : "MISSED"}`;
  return `${name.padEnd(62)}${size.padStart(8)}${number.padStart(10)} ${unit.padEnd(6)}${verdict}`;
}
