import type { FoundService, TopologyName } from "@holdfast/core";

/** When a service that is no longer listed disappears. All durations are milliseconds. */
export interface PresencePolicy {
  /** How long a service must have been missing. */
  readonly removeAfterMs: number;
  /**
   * When at least `share` of the services (above 0, up to 1), or all of them, are missing at the same time, or when a backend has lost its
   * history, they must have been missing for `holdMs`. False: they are treated like others.
   */
  readonly massRemoval: { readonly share: number; readonly holdMs: number } | false;
}

/** Identifies a source of a discovery. */
export type SourceKey = string;

/** The services of one source, by the name of their topology. */
export type ServiceList = ReadonlyMap<TopologyName, FoundService>;

export interface PresenceOptions {
  readonly policy: PresencePolicy;
  /** The values of a service that several sources list are those of the first of these sources, completed by the others. */
  readonly sources: readonly SourceKey[];
  /** What the sources have listed in an earlier run. */
  readonly known?: ReadonlyMap<SourceKey, ServiceList> | undefined;
  /** Services that are present although no source of this discovery has listed them yet. */
  readonly orphans?: ServiceList | undefined;
}

/** Why services that no source lists are kept for longer than usual. */
export interface PresenceHold {
  /**
   * `mass_removal`: many are missing at the same time. `reset`: a backend has lost its history. `contradiction`: a source lists nothing at
   * all, but another one lists services that it had listed.
   */
  readonly kind: "mass_removal" | "reset" | "contradiction";
  /** The topologies that are kept because of it, sorted. */
  readonly names: readonly TopologyName[];
}

interface Source {
  readonly key: SourceKey;
  /** The last list that is believed; absent before the first. */
  list: ServiceList | undefined;
  /** The source has responded since its last failure. */
  isResponding: boolean;
  /** Its last list is empty, and another source contradicts it. */
  isDoubted: boolean;
}

interface Missing {
  readonly since: number;
  isReset: boolean;
  /** Part of a mass removal. */
  isMass: boolean;
}

interface Presence {
  service: FoundService;
  /** What each source has listed under this name last, also when it no longer does. Empty for an orphan. */
  readonly listedBy: Map<SourceKey, FoundService>;
  missing: Missing | undefined;
}

/**
 * Decides which services of a discovery are present. A service appears as soon as any source lists it. It disappears when every source that
 * has listed it has a later list without it and is alive, and it has been missing for long enough. An error or silence of a source removes
 * nothing, because its last list stays in force. Pure: `now` is in monotonic milliseconds.
 */
export class ServicePresence {
  readonly #policy: PresencePolicy;
  readonly #sources: readonly Source[];
  readonly #present = new Map<TopologyName, Presence>();

  constructor({ policy, sources, known = new Map(), orphans = new Map() }: PresenceOptions) {
    this.#policy = policy;
    this.#sources = sources.map((key) => ({
      key,
      list: known.get(key),
      isResponding: false,
      isDoubted: false,
    }));
    for (const [name, service] of orphans) {
      this.#present.set(name, { service, listedBy: new Map(), missing: undefined });
    }
    for (const source of this.#sources) this.#note(source);
    this.#mergeValues();
  }

  /** The services that are present, by the name of their topology. */
  get services(): ServiceList {
    return new Map([...this.#present].map(([name, { service }]) => [name, service]));
  }

  /** How many services are present. */
  get size(): number {
    return this.#present.size;
  }

  /** Whether at least one source has ever listed its services. */
  get isKnown(): boolean {
    return this.#sources.some(({ list }) => list !== undefined);
  }

  /** What each source has listed, and the services that are kept although it no longer lists them: the `known` of the next run. */
  get lists(): ReadonlyMap<SourceKey, ServiceList> {
    const lists = new Map<SourceKey, Map<TopologyName, FoundService>>();
    for (const { key, list } of this.#sources) if (list !== undefined) lists.set(key, new Map(list));
    for (const [name, { listedBy, missing }] of this.#present) {
      if (missing === undefined) continue;
      for (const [key, service] of listedBy) lists.get(key)?.set(name, service);
    }
    return lists;
  }

  /** The current holds, at most one of each kind. */
  get holds(): readonly PresenceHold[] {
    const entries = [...this.#present].flatMap(([name, { missing }]) =>
      missing === undefined ? [] : [{ name, ...missing }],
    );
    const namesOf = (isPart: (entry: Missing) => boolean) =>
      entries
        .filter(isPart)
        .map(({ name }) => name)
        .sort();
    const holds: PresenceHold[] = [
      { kind: "reset", names: namesOf(({ isReset }) => isReset && this.#policy.massRemoval !== false) },
      { kind: "mass_removal", names: namesOf(({ isReset, isMass }) => isMass && !isReset) },
      { kind: "contradiction", names: this.#doubtedNames() },
    ];
    return holds.filter(({ names }) => names.length > 0);
  }

  /** When to call `tick`, because time alone removes a service then; Infinity when it does not. */
  get wakeAt(): number {
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const presence of this.#present.values()) {
      if (presence.missing === undefined || !this.#isConfirmed(presence)) continue;
      wakeAt = Math.min(wakeAt, this.#removedAt(presence.missing));
    }
    return wakeAt;
  }

  /** A source has listed all its services. */
  listed(key: SourceKey, list: ServiceList, isReset: boolean, now: number): void {
    const source = this.#source(key);
    source.isResponding = true;
    if (list.size === 0 && this.#isContradicted(source)) {
      source.isDoubted = true;
      return this.tick(now);
    }
    source.list = list;
    source.isDoubted = false;
    this.#note(source);
    this.#believeUncontradicted();
    this.#mergeValues();
    this.#update(now, isReset);
  }

  /** A source has confirmed its last list. */
  alive(key: SourceKey, now: number): void {
    this.#source(key).isResponding = true;
    this.tick(now);
  }

  /** A source has failed, or is silent. */
  failed(key: SourceKey, now: number): void {
    this.#source(key).isResponding = false;
    this.tick(now);
  }

  tick(now: number): void {
    this.#update(now, false);
  }

  #source(key: SourceKey): Source {
    const source = this.#sources.find((known) => known.key === key);
    if (source === undefined) throw new RangeError(`there is no source "${key}"`);
    return source;
  }

  /** Whether another source, which does not list nothing itself, lists a service that this one has listed. */
  #isContradicted(source: Source): boolean {
    const names = [...(source.list?.keys() ?? [])];
    return this.#sources.some(
      ({ key, list, isDoubted }) =>
        key !== source.key && !isDoubted && names.some((name) => list?.has(name) === true),
    );
  }

  /** An empty list is believed once no other source contradicts it any more. */
  #believeUncontradicted(): void {
    for (const source of this.#sources) {
      if (!source.isDoubted || this.#isContradicted(source)) continue;
      source.list = new Map();
      source.isDoubted = false;
    }
  }

  /** The services that only sources with a doubted list have. */
  #doubtedNames(): readonly TopologyName[] {
    const doubted = this.#sources.filter(({ isDoubted }) => isDoubted);
    const others = this.#sources.filter(({ isDoubted }) => !isDoubted);
    const names = new Set(doubted.flatMap(({ list }) => [...(list?.keys() ?? [])]));
    return [...names].filter((name) => !others.some(({ list }) => list?.has(name) === true)).sort();
  }

  #note({ key, list }: Source): void {
    for (const [name, service] of list ?? []) {
      const known = this.#present.get(name);
      if (known === undefined) {
        this.#present.set(name, { service, listedBy: new Map([[key, service]]), missing: undefined });
      } else known.listedBy.set(key, service);
    }
  }

  #update(now: number, isReset: boolean): void {
    for (const [name, presence] of this.#present) this.#markMissing(name, presence, now, isReset);
    this.#markMassRemoval();
    for (const [name, presence] of this.#present) {
      const { missing } = presence;
      if (missing !== undefined && this.#isConfirmed(presence) && now >= this.#removedAt(missing)) {
        this.#present.delete(name);
      }
    }
  }

  #markMissing(name: TopologyName, presence: Presence, now: number, isReset: boolean): void {
    const isListed = this.#sources.some(({ list }) => list?.has(name) === true);
    const canTell = presence.listedBy.size > 0 || this.#sources.every(({ list }) => list !== undefined);
    if (isListed || !canTell) presence.missing = undefined;
    else presence.missing ??= { since: now, isReset, isMass: false };
  }

  /** The removal of one service of several is never a mass removal. A service stays part of one until it is listed again. */
  #markMassRemoval(): void {
    const { massRemoval } = this.#policy;
    if (massRemoval === false) return;
    const missing = [...this.#present.values()].flatMap((presence) => presence.missing ?? []);
    const total = this.#present.size;
    const isMass =
      missing.length > 0 &&
      (missing.length === total || (missing.length > 1 && missing.length >= massRemoval.share * total));
    if (isMass) for (const entry of missing) entry.isMass = true;
  }

  #removedAt({ since, isReset, isMass }: Missing): number {
    const { massRemoval, removeAfterMs } = this.#policy;
    return since + (massRemoval !== false && (isReset || isMass) ? massRemoval.holdMs : removeAfterMs);
  }

  /** Whether every source that has listed the service confirms its last list now. An orphan needs all sources. */
  #isConfirmed({ listedBy }: Presence): boolean {
    return this.#sources.every(
      ({ key, list, isResponding, isDoubted }) =>
        (list !== undefined && isResponding && !isDoubted) || (listedBy.size > 0 && !listedBy.has(key)),
    );
  }

  /** A service that no source lists keeps its values. */
  #mergeValues(): void {
    for (const [name, presence] of this.#present) {
      const listed = this.#sources.flatMap(({ list }) => list?.get(name) ?? []);
      const [first] = listed;
      if (first === undefined) continue;
      // Of two entries with one key the later one counts.
      const entries = listed.toReversed().flatMap(({ values }) => Object.entries(values ?? {}));
      presence.service = { name: first.name, values: Object.fromEntries(entries) };
    }
  }
}
