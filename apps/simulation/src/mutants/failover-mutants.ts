import type { Mutant } from "./mutant.ts";

const CONTROLLER = "packages/failover/src/failover-controller.ts";
const SESSION = "packages/failover/src/failover-session.ts";
const ANNOUNCER = "packages/hub/src/announcer.ts";
const STREAM = "packages/failover/src/provider-stream.ts";

export const FAILOVER_MUTANTS: readonly Mutant[] = [
  {
    name: "failback-at-once",
    bug: "failback happens as soon as a provider of higher priority is healthy",
    file: CONTROLLER,
    find: ".find((candidate) => this.#isProven(candidate, now));",
    replace: '.find((candidate) => candidate.health === "healthy");',
  },
  {
    name: "cooldown-ignored",
    bug: "a switch can follow the last one at once, to any provider",
    file: CONTROLLER,
    find: "(now - this.#lastSwitchAt >= cooldownMs || now - candidate.failedAt >= cooldownMs)",
    replace: "(now >= 0 || cooldownMs > 0)",
  },
  {
    name: "bar-forgotten",
    bug: "a provider that was left is chosen again before a cooldown of health",
    file: CONTROLLER,
    find: "from.isExcluded = !this.#isProven(from, now);",
    replace: "from.isExcluded = false;",
  },
  {
    name: "unavailable-never-reported",
    bug: "when every provider is unreachable the topology is only degraded",
    file: CONTROLLER,
    find: "if (this.#isExhausted) {",
    replace: "if (this.#order.length < 0) {",
  },
  {
    name: "override-forgotten",
    bug: "a pinned provider does not become active again when it recovers",
    file: CONTROLLER,
    find: "candidate.id === this.#pinned ? Number.POSITIVE_INFINITY : candidate.priority;",
    replace: "candidate.priority;",
  },
  {
    name: "never-reconnects",
    bug: "a failed watch is never started again",
    file: STREAM,
    find: "await this.#rest(end);",
    replace:
      "await sleep(Number.MAX_SAFE_INTEGER, { clock: this.#options.clock, signal }).catch(() => undefined);",
  },
  {
    name: "change-after-content",
    bug: "provider_changed is emitted after the first content of the new provider",
    file: ANNOUNCER,
    find: 'if (from !== switched.to) announcements.push({ type: "switch", ...switched, from });',
    replace:
      'if (from !== switched.to) queueMicrotask(() => announcements.push({ type: "switch", ...switched, from }));',
  },
  {
    name: "watch-left-open",
    bug: "the watch on a provider that is left or stopped continues",
    file: SESSION,
    find: "source.stream = undefined;\n    const stopping",
    replace: "source.stream = undefined;\n    if (stream !== undefined) return;\n    const stopping",
  },
  {
    name: "error-as-empty-set",
    bug: "a failed watch is treated as a snapshot without members",
    file: SESSION,
    find: "    source.snapshot = undefined;\n    return {",
    replace:
      "    const members = snapshot.members.apply({ remove: [...snapshot.members].map((node) => node.id) });\n" +
      '    source.snapshot = reason.kind === "errored" ? { ...snapshot, members, hash: "0" } : undefined;\n' +
      "    return {",
  },
  {
    name: "wall-clock-timeouts",
    bug: "durations are measured on the wall clock, which jumps",
    file: SESSION,
    find: "return this.#options.clock.monotonic();",
    replace: "return this.#options.clock.now();",
  },
  {
    name: "silence-unnoticed",
    bug: "a watch that yields nothing for longer than the timeout is not ended",
    file: "packages/core/src/time/watchdog.ts",
    find: "if (leftMs <= 0) this.#onSilence();",
    replace: "if (leftMs <= 0) return;",
  },
  {
    name: "late-passes-for-fresh",
    bug: "a late snapshot counts as in time",
    file: STREAM,
    find: "if (exactMs <= lateSnapshotMs) return undefined;",
    replace: "if (exactMs >= 0) return undefined;",
  },
];
