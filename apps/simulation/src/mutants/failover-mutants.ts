import type { Mutant } from "./mutant.ts";

const CONTROLLER = "packages/failover/src/failover-controller.ts";
const SESSION = "packages/failover/src/failover-session.ts";
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
    find: "from.isBarred = !this.#isProven(from, now);",
    replace: "from.isBarred = false;",
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
    says: "provider_changed is told after the first content of the new provider",
    file: SESSION,
    find: "    if (from !== to)\n      this.#options.emit(",
    replace: "    if (from !== to)\n      queueMicrotask(() => this.#options.emit)(",
  },
  {
    name: "watch-left-open",
    says: "the watch on a provider that is left or stopped goes on",
    file: SESSION,
    find: "source.doubt = undefined;\n    const stopping",
    replace: "source.doubt = undefined;\n    if (stream !== undefined) return;\n    const stopping",
  },
  {
    name: "error-as-empty-set",
    says: "a broken watch is taken for the answer that there are no members",
    file: SESSION,
    find: "const { retryable } = signal.error;",
    replace:
      "const { retryable } = signal.error;\n" +
      "        const { snapshot: last } = source;\n" +
      "        if (last !== undefined) {\n" +
      "          const members = last.members.apply({ remove: [...last.members].map((node) => node.id) });\n" +
      '          this.#options.emit({ type: "snapshot", snapshot: { ...last, members, hash: "0" } });\n' +
      "        }",
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
