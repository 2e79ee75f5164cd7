import type { ClusterNode, Random } from "@holdfast/core";

/** What both backends can say of a member. */
export type SoakMember = Pick<ClusterNode, "id" | "host" | "port"> & { readonly zone: string };

/** A slice has one port for all of its endpoints. */
const PORT = 7_001;
const ZONES = 3;
/** Vacant places, as a share of the members there should be. */
const VACANCY = 0.02;

/**
 * Who should be in the cluster. Each member has a place, which stays when it is replaced, so that a backend can write what
 * changed place by place. The same seed gives the same history.
 */
export class Population {
  readonly #random: Random;
  readonly #wanted: number;
  readonly #places: (SoakMember | undefined)[];
  #size: number;
  #named = 0;

  constructor(size: number, random: Random) {
    this.#random = random;
    this.#wanted = size;
    this.#size = size;
    const vacant = Math.ceil(size * VACANCY);
    this.#places = Array.from({ length: size + vacant }, (_, place) =>
      place < size ? this.#create() : undefined,
    );
  }

  /** Of how many members there are now. */
  get size(): number {
    return this.#size;
  }

  get places(): number {
    return this.#places.length;
  }

  at(place: number): SoakMember | undefined {
    return this.#places[place];
  }

  members(): readonly SoakMember[] {
    return this.#places.filter((member) => member !== undefined);
  }

  /**
   * Changes one place, and says which: a member leaves, joins, is replaced by another, or has another address or zone. About
   * as many join as leave.
   */
  change(): number {
    const place = Math.floor(this.#random() * this.#places.length);
    const member = this.#places[place];
    const next = member === undefined ? this.#create() : this.#changed(member);
    this.#size += Number(next !== undefined) - Number(member !== undefined);
    this.#places[place] = next;
    return place;
  }

  #changed(member: SoakMember): SoakMember | undefined {
    const chance = this.#random();
    // A vacant place is hit, and filled, as often as this happens.
    if (chance < VACANCY && this.#size > this.#wanted * (1 - VACANCY)) return undefined;
    const other = this.#create();
    if (chance < 0.5) return other;
    return chance < 0.75 ? { ...member, host: other.host } : { ...member, zone: zoneAfter(member.zone) };
  }

  #create(): SoakMember {
    const number = this.#named++;
    const host = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    return { id: `member-${number}`, host, port: PORT, zone: `zone-${number % ZONES}` };
  }
}

function zoneAfter(zone: string): string {
  return `zone-${(Number(zone.replace("zone-", "")) + 1) % ZONES}`;
}
