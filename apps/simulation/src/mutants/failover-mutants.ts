import type { Mutant } from "./mutant.ts";

const CONTROLLER = "packages/failover/src/failover-controller.ts";
const SESSION = "packages/failover/src/failover-session.ts";
const ANNOUNCER = "packages/hub/src/announcer.ts";
const STREAM = "packages/failover/src/provider-stream.ts";

export const FAILOVER_MUTANTS: readonly Mutant[] = [
  {
    name: "fail-back-at-once",
    says: "a better provider gets its place back as soon as it is healthy",
    file: CONTROLLER,
    find: ".find((candidate) => this.#isProven(candidate, now));",
    replace: '.find((candidate) => candidate.health === "healthy");',
  },
  {
    name: "cooldown-ignored",
    says: "a switch follows the last one at once, whoever it goes to",
    file: CONTROLLER,
    find: "(now - this.#lastSwitchAt >= cooldownMs || now - candidate.failedAt >= cooldownMs)",
    replace: "(now >= 0 || cooldownMs > 0)",
  },
  {
    name: "bar-forgotten",
    says: "who was left is chosen again before a cooldown of health",
    file: CONTROLLER,
    find: "from.isExcluded = !this.#isProven(from, now);",
    replace: "from.isExcluded = false;",
  },
  {
    name: "unavailable-never-told",
    says: "when every provider is given up the topology is only degraded",
    file: CONTROLLER,
    find: "if (this.#isExhausted) {",
    replace: "if (this.#order.length < 0) {",
  },
  {
    name: "override-forgotten",
    says: "a pinned provider does not get its place back once it is well",
    file: CONTROLLER,
    find: "candidate.id === this.#pinned ? Number.POSITIVE_INFINITY : candidate.priority;",
    replace: "candidate.priority;",
  },
  {
    name: "never-reconnects",
    says: "a broken watch is never begun anew",
    file: STREAM,
    find: "await this.#rest(end);",
    replace:
      "await sleep(Number.MAX_SAFE_INTEGER, { clock: this.#options.clock, signal }).catch(() => undefined);",
  },
  {
    name: "change-after-content",
    says: "provider_changed is emitted after the first content of the new provider",
    file: ANNOUNCER,
    find: 'if (from !== switched.to) announcements.push({ type: "switch", ...switched, from });',
    replace:
      'if (from !== switched.to) queueMicrotask(() => announcements.push({ type: "switch", ...switched, from }));',
  },
  {
    name: "watch-left-open",
    says: "the watch on a provider that is left or stopped goes on",
    file: SESSION,
    find: "source.stream = undefined;\n    const stopping",
    replace: "source.stream = undefined;\n    if (stream !== undefined) return;\n    const stopping",
  },
  {
    name: "error-as-empty-set",
    says: "a broken watch is taken for the answer that there are no members",
    file: SESSION,
    find: "    source.snapshot = undefined;\n    return {",
    replace:
      "    const members = snapshot.members.apply({ remove: [...snapshot.members].map((node) => node.id) });\n" +
      '    source.snapshot = reason.kind === "errored" ? { ...snapshot, members, hash: "0" } : undefined;\n' +
      "    return {",
  },
  {
    name: "wall-clock-timeouts",
    says: "durations are measured on the wall clock, which jumps",
    file: SESSION,
    find: "return this.#options.clock.monotonic();",
    replace: "return this.#options.clock.now();",
  },
  {
    name: "silence-unnoticed",
    says: "a watch that says nothing for longer than the timeout is waited for",
    file: STREAM,
    find: "if (leftMs <= 0) this.#onSilence();",
    replace: "if (leftMs <= 0) return;",
  },
  {
    name: "late-passes-for-fresh",
    says: "an answer that came late counts as one in time",
    file: STREAM,
    find: "if (exactMs <= lateSnapshotMs) return undefined;",
    replace: "if (exactMs >= 0) return undefined;",
  },
];
