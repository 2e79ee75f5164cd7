import type { NodeId, Random } from "@holdfast/core";
import type { Endpoint } from "../endpoint.ts";
import type { CallRecord } from "../ejection/call-record.ts";
import type { Ejections } from "../ejection/ejections.ts";
import { CallPick, type CallSink } from "./call-pick.ts";
import type { PickedCall, Picker } from "./picker.ts";
import type { PickRequest, PickStrategy, PickStrategyFactory, Target } from "./target.ts";

export interface StrategyPickerOptions {
  readonly strategy: PickStrategyFactory;
  readonly random: Random;
  readonly ejections: Ejections;
  readonly sink: CallSink;
  /** The endpoints for a call now; `undefined` when there are none. */
  readonly endpoints: () => readonly Endpoint[] | undefined;
}

const NO_REQUEST: PickRequest = {};

/** A picker with one strategy, which it updates when the endpoints have changed. */
export class StrategyPicker implements Picker {
  readonly #options: StrategyPickerOptions;
  readonly #strategy: PickStrategy;
  #endpoints: readonly Endpoint[] | undefined;
  #exclude: ReadonlySet<NodeId> | undefined;

  constructor(options: StrategyPickerOptions) {
    this.#options = options;
    const { strategy, random, sink } = options;
    this.#strategy = strategy({ random, inFlight: () => sink.inFlight });
  }

  pick(request: PickRequest = NO_REQUEST): PickedCall | undefined {
    const { endpoints, ejections, sink } = this.#options;
    const current = endpoints();
    if (current === undefined) return undefined;
    if (current !== this.#endpoints) {
      this.#endpoints = current;
      this.#strategy.update(ejections.targets(current));
    }
    this.#exclude = request.exclude;
    const target = this.#strategy.choose(request, this.#isFree);
    if (target === undefined) return undefined;
    const record = asRecord(target);
    ejections.begin(record);
    return new CallPick(record, sink);
  }

  readonly #isFree = (target: Target): boolean =>
    this.#exclude?.has(target.endpoint.node.id) !== true && this.#options.ejections.isFree(asRecord(target));
}

function asRecord(target: Target): CallRecord {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- strategies get and return records only
  return target as CallRecord;
}
