/** One line of the report. `ratio` and `goal` are there where the figure is held to something. */
export interface Figure {
  readonly name: string;
  readonly members?: number;
  readonly value: number;
  readonly unit: "ms" | "us" | "bytes" | "ratio";
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
