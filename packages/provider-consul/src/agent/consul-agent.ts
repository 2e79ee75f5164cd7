import { isProvisioningError, type Clock, type Random } from "@holdfast/core";
import { HttpClient, type HttpRequest, type HttpResponse } from "@holdfast/core/adapter";
import { toOrigin } from "./agent-access.ts";
import { Openings } from "./openings.ts";
import { countOthers, QuerySlots } from "./query-slots.ts";
import { RequestLane } from "./request-lane.ts";
import { SharedCalls } from "./shared-calls.ts";

export interface ConsulAgentOptions {
  readonly addresses: readonly string[];
  readonly maxBlockingQueries: number;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * What all users of one Consul agent (or of several addresses that are tried in turn) share: the connections, the address
 * that responded last, and the limits for requests.
 */
export class ConsulAgent {
  readonly addresses: readonly string[];
  /** Limits the requests that do not block. */
  readonly lane: RequestLane;
  /** Limits the blocking queries. */
  readonly slots: QuerySlots;
  /** Calls whose result several users may wait for. */
  readonly shared: SharedCalls = new SharedCalls();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #openings = new Map<string, Openings>();
  #limit: number;
  #preferred = 0;
  /** The number of broken connections, by address. */
  readonly #broken = new Map<string, number>();
  #http: HttpClient | undefined;
  /** The number of probes and watches that are running. */
  #active = 0;

  constructor({ addresses, maxBlockingQueries, clock, random }: ConsulAgentOptions) {
    this.addresses = addresses.map(toOrigin);
    this.#clock = clock;
    this.#random = random;
    this.#limit = maxBlockingQueries;
    this.lane = new RequestLane(countOthers(maxBlockingQueries));
    this.slots = new QuerySlots(clock, maxBlockingQueries);
  }

  /** The addresses, starting with the one that responded last. */
  get addressesInTurn(): readonly string[] {
    return [...this.addresses.slice(this.#preferred), ...this.addresses.slice(0, this.#preferred)];
  }

  /** Uses this address first, as the one that responded last. */
  prefer(address: string): void {
    this.#preferred = Math.max(this.addresses.indexOf(address), 0);
  }

  /**
   * Returns a number that changes when a connection to the address breaks. After that the server may be another one, or may have lost
   * its data, so an index of before means nothing.
   */
  epochOf(address: string): number {
    return this.#broken.get(address) ?? 0;
  }

  /** Call this when a request to the address has failed. */
  noteFailure(address: string, error: unknown): void {
    if (!isProvisioningError(error)) return;
    const { code, details } = error;
    // With a status, the server responded. It may break off the response to one service again and again.
    const isBroken = details["status"] === undefined;
    if (isBroken && (code === "STREAM_FAILED" || code === "CONNECTIVITY_REFUSED"))
      this.#broken.set(address, this.epochOf(address) + 1);
  }

  /** Returns the openings of a scope: of the users whose requests fail for the same reasons. */
  openings(scope: string): Openings {
    const known = this.#openings.get(scope);
    if (known !== undefined) return known;
    const limit = countOthers(this.#limit);
    const openings = new Openings({ clock: this.#clock, random: this.#random, limit });
    this.#openings.set(scope, openings);
    return openings;
  }

  setMaxBlockingQueries(maxBlockingQueries: number): void {
    if (maxBlockingQueries === this.#limit) return;
    this.#limit = maxBlockingQueries;
    this.slots.setLimit(maxBlockingQueries);
    this.lane.setLimit(countOthers(maxBlockingQueries));
    for (const openings of this.#openings.values()) openings.setLimit(countOthers(maxBlockingQueries));
  }

  /** Keeps the connections open until the result is disposed of. Each probe and each watch calls this. */
  activate(): Disposable {
    this.#active++;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#active--;
        if (this.#active > 0) return;
        this.#http?.[Symbol.dispose]();
        this.#http = undefined;
      },
    };
  }

  /** Sends a request with the shared connections. Call it only while activated. */
  send(request: HttpRequest): Promise<HttpResponse> {
    this.#http ??= new HttpClient({ clock: this.#clock });
    return this.#http.send(request);
  }
}
