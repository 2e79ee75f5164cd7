import {
  includesSorted,
  ProvisioningError,
  type Clock,
  type NodeId,
  type ProviderSnapshot,
  type TopologyEvent,
  type TopologySource,
} from "@holdfast/core";

export interface SharedEndpointCheckOptions {
  readonly source: TopologySource;
  readonly clock: Clock;
  /** Called with `TOPOLOGY_SHARED_ENDPOINT`. Must not throw. */
  readonly onWarning: (warning: ProvisioningError) => void;
}

interface SharedEndpoint {
  readonly address: string;
  readonly ids: readonly [NodeId, NodeId];
}

interface Finding {
  /** The first `MAX_NAMED` pairs. */
  readonly pairs: readonly SharedEndpoint[];
  /** Number of members that have the same endpoint as an earlier member. */
  readonly count: number;
}

/** The minimum time between two checks, in milliseconds. */
const CHECK_EVERY_MS = 60_000;
/** Maximum number of pairs in one warning. */
const MAX_NAMED = 3;
/** Number of members that are checked before the event loop gets a turn. */
const STEP = 1_024;

/**
 * Warns about members with different ids that have the same host and port. Checks after members were added or changed, at most once a
 * minute, and yields to the event loop during a check. No data about members is kept between checks. A finding is reported again only
 * after a check with a different result.
 */
export class SharedEndpointCheck implements Disposable {
  readonly #options: SharedEndpointCheckOptions;
  readonly #unsubscribe: () => void;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isChecking = false;
  /** Members changed during the check in progress. */
  #isStale = false;
  #isDisposed = false;
  #timer: Disposable | undefined;
  #reported = "";

  constructor(options: SharedEndpointCheckOptions) {
    this.#options = options;
    this.#unsubscribe = options.source.onEvent((event) => {
      if (canShareEndpoints(event)) this.#request();
    });
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#unsubscribe();
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #request(): void {
    if (this.#isDisposed || this.#timer !== undefined) return;
    if (this.#isChecking) {
      this.#isStale = true;
      return;
    }
    const { clock } = this.#options;
    const waitMs = this.#checkedAt + CHECK_EVERY_MS - clock.monotonic();
    if (waitMs <= 0) return void this.#check();
    this.#timer = clock.schedule(waitMs, () => {
      this.#timer = undefined;
      void this.#check();
    });
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const { source, clock } = this.#options;
    const { snapshot } = source.state;
    if (snapshot === undefined) return;
    this.#isChecking = true;
    this.#checkedAt = clock.monotonic();
    const finding = await this.#find(snapshot);
    this.#isChecking = false;
    if (this.#isDisposed) return;
    this.#report(snapshot, finding);
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#request();
  }

  async #find({ members, retained = [] }: ProviderSnapshot): Promise<Finding> {
    const idByAddress = new Map<string, NodeId>();
    const pairs: SharedEndpoint[] = [];
    let count = 0;
    let seen = 0;
    for (const { id, host, port } of members) {
      if (++seen % STEP === 0) {
        await this.#options.clock.yield();
        if (this.#isDisposed) break;
      }
      // The active provider does not list retained members. A member that was renamed is retained under its old id.
      if (includesSorted(retained, id)) continue;
      const address = host.includes(":")
        ? `[${host.toLowerCase()}]:${port}`
        : `${host.toLowerCase()}:${port}`;
      const other = idByAddress.get(address);
      if (other === undefined) idByAddress.set(address, id);
      else if (++count <= MAX_NAMED) pairs.push({ address, ids: [other, id] });
    }
    return { pairs, count };
  }

  #report({ providerId }: ProviderSnapshot, { pairs, count }: Finding): void {
    const named = pairs.map(({ address, ids: [a, b] }) => `"${a}" and "${b}" (${address})`);
    const others = count > pairs.length ? `, and ${count - pairs.length} more` : "";
    const text =
      count === 0
        ? ""
        : `"${providerId}" lists members with the same host and port: ${named.join(", ")}${others}`;
    if (text === this.#reported) return;
    this.#reported = text;
    if (count === 0) return;
    const details = { providerId, count, pairs };
    this.#options.onWarning(new ProvisioningError("TOPOLOGY_SHARED_ENDPOINT", text, { details }));
  }
}

/** Removals and blocks cannot make two members share an endpoint. */
function canShareEndpoints(event: TopologyEvent): boolean {
  return event.kind === "snapshot" && event.delta.added.length + event.delta.updated.length > 0;
}
