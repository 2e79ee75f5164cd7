import type { Mutant } from "./mutant.ts";

const DWELL = "packages/failover/src/removal-dwell.ts";
const MASS = "packages/failover/src/mass-removal-guard.ts";
const GUARDS = "packages/failover/src/snapshot-guards.ts";
const SESSION = "packages/failover/src/failover-session.ts";

export const GUARD_MUTANTS: readonly Mutant[] = [
  {
    name: "dwell-forgotten",
    says: "a new provider that lists fewer members evicts the rest at the switch",
    file: DWELL,
    find: "    this.#retain(removed);",
    replace: "    this.#retain([]);\n    if (removed.length > 0) return answer;",
  },
  {
    name: "dwell-never-ends",
    says: "who was retained at a switch stays until ten dwells have gone by",
    file: DWELL,
    find: "    return Math.min(since + this.#dwellMs - this.#provenMs, this.#lapsesAt);",
    replace: "    return this.#lapsesAt;",
  },
  {
    name: "dwell-never-lapses",
    says: "who was retained stays as long as providers take turns",
    file: DWELL,
    find: "this.#lapsesAt = now + MOST_DWELLS * this.#dwellMs;",
    replace: "this.#lapsesAt = Number.MAX_SAFE_INTEGER;",
  },
  {
    name: "dwell-counts-illness",
    says: "the dwell goes on while the new provider is not healthy",
    file: DWELL,
    find: "    this.#provenMs += now - this.#provenSince;\n    this.#provenSince = undefined;",
    replace: "    this.#provenMs += now - this.#provenSince;\n    this.#provenSince = now;",
  },
  {
    name: "dwell-not-summed",
    says: "health before an interruption does not count for the dwell",
    file: DWELL,
    find: "    this.#provenMs += now - this.#provenSince;",
    replace: "    this.#provenMs = 0;",
  },
  {
    name: "retained-not-named",
    says: "members that a guard keeps are shown as if their provider listed them",
    file: DWELL,
    find: "return createSnapshot({ ...answer, members, retained });",
    replace:
      "return createSnapshot({ ...answer, members, retained: retained.length < 0 ? retained : undefined });",
  },
  {
    name: "retained-listed-again",
    says: "a retained member that its provider lists after all counts as retained on",
    file: DWELL,
    find: "for (const { id } of added) if (this.#retained.delete(id)) this.#sorted = undefined;",
    replace: "",
  },
  {
    name: "hold-without-end",
    says: "every further answer begins the hold time of a mass removal anew",
    file: MASS,
    find: "const endsAt = this.#hold?.endsAt ?? now + holdMs;",
    replace: "const endsAt = now + holdMs;",
  },
  {
    name: "accept-ignored",
    says: "an operator accepts a mass removal, and it is held on",
    file: MASS,
    find: "return this.#isAccepted || (this.#hold",
    replace: "return (this.#isAccepted && now < 0) || (this.#hold",
  },
  {
    name: "witness-ignored",
    says: "another provider agrees that many are gone, and they are held all the same",
    file: MASS,
    find: "if (others.some((other) => this.#agrees(other, removed, most))) return false;",
    replace: "",
  },
  {
    name: "witness-never-knew",
    says: "a provider that never knew them lets many members go",
    file: MASS,
    find: "return hadListed > most && countListed",
    replace: "return hadListed >= 0 && countListed",
  },
  {
    name: "empty-passes-the-guard",
    says: "an answer without any member passes the guard",
    file: MASS,
    find: "if (removed.length <= most) return false;",
    replace: "if (removed.length <= most || answer.members.size === 0) return false;",
  },
  {
    name: "hold-is-ready",
    says: "the topology is ready while a mass removal is held",
    file: GUARDS,
    find: 'return { availability: "degraded", reason: held.reason, cause: held.guard };',
    replace: "return { availability, reason: held.reason, cause: held.guard };",
  },
  {
    name: "end-of-hold-first",
    says: "the end of a hold is told before the content that shows it",
    file: SESSION,
    find: "    const { snapshot } = output;\n",
    replace:
      '    for (const hold of isOver.splice(0)) emit({ type: "guard_changed", isHolding: false, hold });\n' +
      "    const { snapshot } = output;\n",
  },
  {
    name: "end-of-hold-untold",
    says: "nobody is told that a guard has let go",
    file: SESSION,
    find: 'for (const hold of isOver) emit({ type: "guard_changed", isHolding: false, hold });',
    replace: "",
  },
  {
    name: "known-good-too-old",
    says: "the last known good snapshot is served though it has expired",
    file: "packages/failover/src/restored-snapshot.ts",
    find: "if (!(ageMs >= -MAX_SKEW_MS && ageMs < maxAgeMs)) {",
    replace: "if (!(ageMs >= -MAX_SKEW_MS)) {",
  },
  {
    name: "known-good-for-ever",
    says: "what is served from the disk does not expire",
    file: GUARDS,
    find: "if (this.#restored === undefined || now < this.#restored.expiresAt) return;",
    replace: "if (this.#restored === undefined || now >= 0) return;",
  },
  {
    name: "known-good-of-another",
    says: "the last known good snapshot of a provider that is not configured any more is served",
    file: "packages/provisioning/src/provisioning-service.ts",
    find: "if (!isConfigured) {",
    replace: "if (!isConfigured && this.registry.list().length === 0) {",
  },
  {
    name: "known-good-is-current",
    says: "what was read from the disk counts as current, and channels are opened by it",
    file: GUARDS,
    find: 'return { availability: "degraded", reason: `${restored.reason}; ${reason}`, cause: restored.guard };',
    replace:
      'return { availability: "available", reason: `${restored.reason}; ${reason}`, cause: restored.guard };',
  },
  {
    name: "known-good-saved-stale",
    says: "content that is only held is saved as known to be good",
    file: "packages/hub/src/snapshot-keeper.ts",
    find: "newest.retained !== undefined || isStale || confirmed === undefined",
    replace: "newest.retained !== undefined || (isStale && !newest.hash) || confirmed === undefined",
  },
  {
    name: "known-good-saved-retained",
    says: "members that only a guard keeps are saved as known to be good",
    file: "packages/hub/src/snapshot-keeper.ts",
    find: "newest.retained !== undefined || isStale || confirmed === undefined",
    replace: "isStale || confirmed === undefined",
  },
  {
    name: "known-good-not-saved-at-stop",
    says: "what changed since the last save is lost at a stop",
    file: "packages/hub/src/snapshot-keeper.ts",
    find: "    await this.#save(this.#last ?? this.#known());",
    replace: "",
  },
  {
    name: "known-good-unchecked",
    says: "a damaged file is trusted",
    file: "packages/store-file/src/stored-snapshot.ts",
    find: 'if (digest.digest("hex") !== sha256) {',
    replace: 'if (sha256 === "") {',
  },
  {
    name: "explained-as-listed",
    says: "a member that is only retained is explained as listed",
    file: "packages/hub/src/explain-node.ts",
    find: "const isRetained = includesSorted(retained, nodeId);",
    replace: "const isRetained = includesSorted(retained, nodeId) && nodeId.length === 0;",
  },
  {
    name: "explained-by-the-first-change",
    says: "an explanation names the oldest change of a node, not the newest",
    file: "packages/hub/src/explain-node.ts",
    find: "for (let i = snapshots.length - 1; i >= 0; i--) {",
    replace: "for (let i = 0; i < snapshots.length; i++) {",
  },
];
