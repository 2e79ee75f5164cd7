import type { Mutant } from "./mutant.ts";

const RELAY = "packages/client/src/watching/topology-relay.ts";
const FEED = "packages/client/src/mirror/topology-feed.ts";
const CONTENT = "packages/client/src/mirror/content.ts";
const STREAMS = "packages/client/src/watching/daemon-stream.ts";

/** Bugs that the simulation of daemons and followers must find. */
export const TIER_MUTANTS: readonly Mutant[] = [
  {
    name: "loop-unnoticed",
    bug: "a daemon does not recognize itself in the chain of another one",
    file: FEED,
    find: "const own = instance === undefined ? -1 : instances.indexOf(instance);",
    replace: "const own = -1;",
  },
  {
    name: "chain-forgotten",
    bug: "a daemon does not pass on the chain through which its content came",
    file: RELAY,
    find: "mirror.toSnapshot({ providerId, observedAt, via })",
    replace: "mirror.toSnapshot({ providerId, observedAt, via: undefined })",
  },
  {
    name: "loop-content-relayed",
    bug: "two daemons in a circle exchange their contents",
    file: RELAY,
    find: 'if (feed.isLoop) return { type: "held", reason: this.#loopOf(feed) };',
    replace: `if (feed.isLoop) {
      const content = feed.mirror.toSnapshot({ providerId, observedAt: feed.observedAt, via: feed.via });
      if (content !== undefined) return { type: "snapshot", snapshot: content, held: this.#loopOf(feed) };
    }`,
  },
  {
    name: "stale-taken-for-current",
    bug: "content that the daemon reports as stale is confirmed",
    file: RELAY,
    find: "return this.#show(snapshot, status.isStale ? status.reason : undefined);",
    replace: "return this.#show(snapshot, undefined);",
  },
  {
    name: "stored-content-confirmed",
    bug: "content is confirmed before the status that says whether it is current",
    file: RELAY,
    find: 'if (snapshot !== undefined && status.status !== "starting") {',
    replace: "if (snapshot !== undefined) {",
  },
  {
    name: "older-content-shown",
    bug: "a daemon that was restarted with older content takes its followers back in time",
    file: "packages/client/src/watching/newest-content.ts",
    find: "return contentReadAt <= readAt && ",
    replace: "return contentReadAt < 0 && ",
  },
  {
    name: "unavailable-held",
    bug: "a daemon without a working provider counts as one with stale content",
    file: RELAY,
    find: 'if (status.status === "unavailable") throw this.#toUnavailable(status);',
    replace: 'if (status.status === "unavailable") return { type: "held", reason: status.reason };',
  },
  {
    name: "stale-without-end",
    bug: "daemons without a backend hold each other's stale content for ever",
    file: "packages/client/src/watching/stale-limit.ts",
    find: "return staleMs > this.#maxMs ? ",
    replace: "return staleMs < 0 ? ",
  },
  {
    name: "hash-unchecked",
    bug: "content is shown although its hash is not the one that the daemon names",
    file: CONTENT,
    find: "if (createSnapshot({ providerId, members, blockedNodes, observedAt: 0 }).hash !== hash) {",
    replace: 'if (createSnapshot({ providerId, members, blockedNodes, observedAt: 0 }).hash === "") {',
  },
  {
    name: "count-and-hash-unchecked",
    bug: "content is shown although a member is missing",
    file: "packages/client/src/mirror/topology-mirror.ts",
    find: "this.#content = verified(content);",
    replace: "this.#content = content;",
  },
  {
    name: "topologies-mixed-up",
    bug: "on a stream of several topologies all events are taken for those of one",
    file: "packages/client/src/connection/named-item.ts",
    find: "name: toName(/^([^@]+)@/.exec(item.id)?.[1])",
    replace: 'name: toName("default")',
  },
  {
    name: "connection-left-open",
    bug: "the connection to a daemon stays open after its last watch has ended",
    file: STREAMS,
    find: "if (!this.#isWatched) this.#stop?.abort();",
    replace: "",
  },
];
