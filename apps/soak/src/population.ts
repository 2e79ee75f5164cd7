import type { ClusterNode, Random } from "@holdfast/core";

/** The fields of a member that both backends can store. */
export type SoakMember = Pick<ClusterNode, "id" | "host" | "port"> & { readonly zone: string };

/** The same port for all members, because a slice has one port for all of its endpoints. */
const PORT = 7_001;
const ZONES = 3;
/** The share of vacant places, relative to the intended number of members. */
const VACANCY = 0.02;

/**
 * The intended members of the cluster. Each member has a place with an index. A replacement takes the place of the old
 * member, so that a backend can write only the places that changed. The same seed gives the same changes.
 */
export class Population {
  readonly #random: Random;
  readonly #intendedSize: number;
  readonly #places: (SoakMember | undefined)[];
  #size: number;
  #created = 0;

  constructor(size: number, random: Random) {
    this.#random = random;
    this.#intendedSize = size;
    this.#size = size;
    const vacant = Math.ceil(size * VACANCY);
    this.#places = Array.from({ length: size + vacant }, (_, place) =>
      place < size ? this.#create() : undefined,
    );
  }

  /** The current number of members. */
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
   * Changes one random place and returns its index: a member leaves, joins, is replaced by another, or gets another
   * address or zone. About as many members join as leave.
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
    // Leaving is as probable as selecting a vacant place, which a new member then fills.
    if (chance < VACANCY && this.#size > this.#intendedSize * (1 - VACANCY)) return undefined;
    const other = this.#create();
    if (chance < 0.5) return other;
    return chance < 0.75 ? { ...member, host: other.host } : { ...member, zone: zoneAfter(member.zone) };
  }

  #create(): SoakMember {
    const number = this.#created++;
    const host = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    return { id: `member-${number}`, host, port: PORT, zone: `zone-${number % ZONES}` };
  }
}

function zoneAfter(zone: string): string {
  return `zone-${(Number(zone.replace("zone-", "")) + 1) % ZONES}`;
}
