import { MemberSet, type SourceEvent, type WatchOptions } from "@holdfast/core";
import { aborted, heartbeat, type ProviderFaults } from "./provider-fault.ts";
import type { Tiny } from "./tiny-provider.ts";

export const LIFE_FAULTS: ProviderFaults = {
  "starts although its signal has aborted": {
    fault: (tiny) => ({
      async *watch(options) {
        if (options.signal.aborted) yield { type: "snapshot", snapshot: tiny.snapshot(MemberSet.empty) };
        yield* tiny.watch(options);
      },
    }),
    fails: ["a watch whose signal has already aborted yields no events"],
  },
  "fails when aborted before the first event": {
    fault: (tiny) => ({
      async *watch(options) {
        if (options.signal.aborted) return;
        await Promise.resolve();
        if (options.signal.aborted) throw aborted();
        yield* tiny.watch(options);
      },
    }),
    fails: ["an abort before the first event ends the watch quietly"],
  },
  "yields an event after an abort": {
    fault: (tiny) => ({
      async *watch(options) {
        for await (const event of tiny.watch(options)) {
          yield event;
          if (options.signal.aborted) yield heartbeat;
        }
      },
    }),
    fails: [
      "an abort before the first event ends the watch quietly",
      "an abort between two events ends the watch quietly",
    ],
  },
  "fails when aborted": {
    fault: (tiny) => ({
      async *watch(options) {
        let isIdle = false;
        for await (const event of tiny.watch(options)) {
          yield event;
          isIdle = !options.signal.aborted;
        }
        if (isIdle && options.signal.aborted) throw aborted();
      },
    }),
    fails: ["an abort while the next event is awaited ends the watch quietly"],
  },
  "ignores an abort": {
    fault: (tiny) => ({
      async *watch(options) {
        if (options.signal.aborted || tiny.state === "hanging") return;
        const { signal } = new AbortController();
        for await (const event of tiny.watch({ signal })) {
          if (options.signal.aborted) return;
          yield event;
          if (options.signal.aborted) return;
        }
      },
    }),
    fails: [
      "two watches are independent",
      "an abort while the next event is awaited ends the watch quietly",
      "an abort leaves nothing open",
    ],
  },
  "leaves a timer after an abort": {
    fault: (tiny) => ({
      async *watch(options) {
        yield* tiny.watch(options);
        tiny.clock.schedule(1_000_000, () => undefined);
      },
    }),
    fails: ["an abort leaves nothing open"],
  },
  "continues after the consumer left": {
    fault: (tiny) => ({
      watch: (options) => leavingWith(tiny, options, (iterator) => iterator.return!(), false),
    }),
    fails: ["leaving the loop stops the watch"],
  },
  "never resolves return()": {
    fault: (tiny) => ({
      watch: (options) => leavingWith(tiny, options, () => Promise.withResolvers<never>().promise, true),
    }),
    fails: [
      "leaving the loop stops the watch",
      "leaving the loop leaves nothing open",
      "a watch that has ended leaves no listener on its signal",
    ],
  },
  "leaves a timer when the consumer leaves": {
    fault: (tiny) => ({
      watch: (options) =>
        leavingWith(
          tiny,
          options,
          (iterator) => {
            tiny.clock.schedule(1_000_000, () => undefined);
            return iterator.return!();
          },
          true,
        ),
    }),
    fails: ["leaving the loop leaves nothing open"],
  },
  "leaves a listener on the signal": {
    fault: (tiny) => ({
      watch(options) {
        options.signal.addEventListener("abort", () => undefined);
        return tiny.watch(options);
      },
    }),
    fails: ["a watch that has ended leaves no listener on its signal"],
  },
  "forgets running watches when disposed": {
    fault: (tiny) => ({
      dispose() {
        tiny.isDisposed = true;
        return Promise.resolve();
      },
    }),
    fails: ["disposal ends running watches, and they yield no more events", "disposal leaves nothing open"],
  },
  "can be disposed of only once": {
    fault: (tiny) => ({
      async dispose() {
        tiny.assertUsable();
        await tiny.dispose();
      },
    }),
    // After the backend failed, disposing fails as well.
    fails: [
      "a failure that no read awaits is not an unhandled rejection",
      "disposal may be repeated and may overlap",
    ],
  },
  "disposes of what it never opened": {
    fault: (tiny) => {
      let isOpen = false;
      return {
        watch(options) {
          isOpen = true;
          return tiny.watch(options);
        },
        async dispose() {
          if (!isOpen && tiny.nodes.length === 0) throw new TypeError("undefined has no close");
          await tiny.dispose();
        },
      };
    },
    fails: ["a provider that was never used can be disposed of"],
  },
  "leaves a timer when disposed": {
    fault: (tiny) => ({
      dispose() {
        tiny.clock.schedule(1_000_000, () => undefined);
        return tiny.dispose();
      },
    }),
    fails: ["disposal leaves nothing open"],
  },
  "ends a watch quietly after disposal": {
    fault: (tiny) => ({
      async *watch(options) {
        if (!tiny.isDisposed) yield* tiny.watch(options);
      },
    }),
    fails: ["after disposal a watch is refused with LIFECYCLE_STOPPED"],
  },
  "probes after disposal": {
    fault: (tiny) => ({
      async probe(options) {
        if (!tiny.isDisposed) await tiny.probe(options);
      },
    }),
    fails: ["after disposal a probe is refused with LIFECYCLE_STOPPED"],
  },
};

/** The correct watch with a different `return`, and possibly with events after it. */
function leavingWith(
  tiny: Tiny,
  options: WatchOptions,
  leave: (iterator: AsyncIterator<SourceEvent>) => Promise<IteratorResult<SourceEvent>>,
  endsThen: boolean,
): AsyncIterable<SourceEvent> {
  const iterator: AsyncIterator<SourceEvent> = tiny.watch(options)[Symbol.asyncIterator]();
  let hasLeft = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        hasLeft && !endsThen ? Promise.resolve({ done: false, value: heartbeat }) : iterator.next(),
      return() {
        hasLeft = true;
        return leave(iterator);
      },
    }),
  };
}
