import { formatPath, ProvisioningError } from "@holdfast/core";
import type { EndpointsOptions } from "./endpoints-options.ts";

interface Range {
  readonly from: number;
  readonly to?: number;
  /** `from` itself is too low. */
  readonly isAbove?: boolean;
  readonly isInteger?: boolean;
}

const ABOVE_0: Range = { from: 0, isAbove: true };
const SHARE: Range = { from: 0, to: 1 };
const SHARE_ABOVE_0: Range = { from: 0, to: 1, isAbove: true };
const COUNT: Range = { from: 1, isInteger: true };

/** The range of each number among the options, by its path. */
const RANGES: readonly (readonly [path: readonly string[], range: Range])[] = [
  [["keepUnavailableMs"], { from: 0 }],
  [["subset", "size"], COUNT],
  [["slowStart", "rampMs"], ABOVE_0],
  [["slowStart", "initialShare"], SHARE_ABOVE_0],
  [["panicShare"], SHARE],
  [["ejection", "consecutiveFailures"], COUNT],
  [["ejection", "failureShare", "share"], SHARE_ABOVE_0],
  [["ejection", "failureShare", "minCalls"], COUNT],
  [["ejection", "latency", "factor"], { from: 1 }],
  [["ejection", "latency", "minExcessMs"], { from: 0 }],
  [["ejection", "latency", "minCalls"], COUNT],
  [["ejection", "windowMs"], ABOVE_0],
  [["ejection", "maxShare"], SHARE],
  [["ejection", "ejectMs"], ABOVE_0],
  [["ejection", "maxEjectMs"], ABOVE_0],
  [["ejection", "probeCalls"], COUNT],
  [["ejection", "probeSuccesses"], COUNT],
  [["ejection", "maxBlockedShare"], SHARE],
];

/** Throws `VALIDATION_MALFORMED`, naming every number that is out of its range. */
export function checkOptions(options: EndpointsOptions): void {
  const problems = RANGES.flatMap(([path, range]) => {
    const value = valueAt(options, path);
    return value === undefined || value === false || isWithin(value, range)
      ? []
      : [`${formatPath(path)} must be ${describe(range)}`];
  });
  if (problems.length === 0) return;
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    `the options of the endpoints: ${problems.join("; ")}`,
    {
      details: { problems },
    },
  );
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}

function isWithin(
  value: unknown,
  { from, to = Infinity, isAbove = false, isInteger = false }: Range,
): boolean {
  if (typeof value !== "number") return false;
  return (isAbove ? value > from : value >= from) && value <= to && (!isInteger || Number.isInteger(value));
}

function describe({ from, to, isAbove = false, isInteger = false }: Range): string {
  const kind = isInteger ? "an integer" : "a number";
  return `${kind} ${isAbove ? "greater than" : "of at least"} ${from}${to === undefined ? "" : ` and at most ${to}`}`;
}
