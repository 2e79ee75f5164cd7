import type { Target } from "../src/picking/target.ts";
import { node } from "./scripted-topology.ts";

/** A target whose calls the test counts. */
export class FakeTarget implements Target {
  endpoint: Target["endpoint"];
  inFlight = 0;
  isFree = true;

  constructor(id: string, weight: number = 1) {
    this.endpoint = { node: node(id), weight, isLocal: true, standing: "healthy" };
  }

  get id(): string {
    return this.endpoint.node.id;
  }

  set weight(weight: number) {
    this.endpoint = { ...this.endpoint, weight };
  }
}

/** Targets `t-0000`, `t-0001`, ... with these weights. */
export function targetsOf(weights: readonly number[]): FakeTarget[] {
  return weights.map((weight, i) => new FakeTarget(`t-${String(i).padStart(4, "0")}`, weight));
}

/** Whether a test has declared the target free. */
export function isFree(target: Target): boolean {
  return !(target instanceof FakeTarget) || target.isFree;
}
