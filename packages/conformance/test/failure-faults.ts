import { isProvisioningError, MemberSet, ProvisioningError, type SourceEvent } from "@holdfast/core";
import { aborted, withEvents, timedOut, type ProviderFaults } from "./provider-fault.ts";

export const FAILURE_FAULTS: ProviderFaults = {
  "yields no heartbeat": {
    fault: withEvents((event) => (event.type === "heartbeat" ? [] : [event])),
    fails: ["without changes an event is yielded at least every heartbeatMs"],
  },
  "yields heartbeats too rarely": {
    fault: (tiny) => {
      let count = 0;
      return withEvents((event) => (event.type === "heartbeat" && ++count % 2 === 0 ? [] : [event]))(tiny);
    },
    fails: ["without changes an event is yielded at least every heartbeatMs"],
  },
  "yields heartbeats while the backend hangs": {
    fault: (tiny) => ({
      async *watch(options) {
        const schedule = tiny.clock.schedule.bind(tiny.clock);
        // The scheduled heartbeats are yielded whatever the backend's state.
        tiny.clock.schedule = (delayMs, task) =>
          schedule(delayMs, () => {
            const { state } = tiny;
            tiny.state = "working";
            task();
            tiny.state = state;
          });
        yield* tiny.watch(options);
      },
    }),
    fails: ["a backend that hangs yields no snapshot or heartbeat"],
  },
  "fails when a silent watch is aborted": {
    fault: (tiny) => ({
      async *watch(options) {
        let isSilent = true;
        for await (const event of tiny.watch(options)) {
          isSilent = false;
          yield event;
        }
        if (isSilent && tiny.state === "hanging") throw aborted();
      },
    }),
    fails: ["a watch on a backend that hangs ends quietly when aborted"],
  },
  "shows a broken backend as empty": {
    fault: (tiny) => ({
      async *watch(options) {
        try {
          yield* tiny.watch(options);
        } catch (error) {
          if (isProvisioningError(error) && error.code === "STREAM_FAILED") {
            yield { type: "snapshot", snapshot: tiny.snapshot(MemberSet.empty) };
          }
          throw error;
        }
      },
    }),
    fails: ["a backend that breaks fails the watch and is never shown as empty"],
  },
  "starts with an empty snapshot on a broken backend": {
    fault: (tiny) => ({
      async *watch(options) {
        if (tiny.state === "broken") yield { type: "snapshot", snapshot: tiny.snapshot(MemberSet.empty) };
        yield* tiny.watch(options);
      },
    }),
    fails: ["a new watch on a broken backend fails and shows nothing"],
  },
  "throws the error of its client": {
    fault: (tiny) => ({
      async *watch(options) {
        try {
          yield* tiny.watch(options);
        } catch (error) {
          const isRaw = isProvisioningError(error) && error.category === "connectivity";
          throw isRaw ? new Error("ECONNREFUSED", { cause: error }) : error;
        }
      },
    }),
    fails: ["a watch fails with a ProvisioningError"],
  },
  "starts with an old snapshot after a failure": {
    fault: (tiny) => {
      let last: SourceEvent | undefined;
      let hasFailed = false;
      return {
        async *watch(options) {
          if (hasFailed && last !== undefined) yield last;
          try {
            for await (const event of tiny.watch(options)) {
              if (event.type === "snapshot") last = event;
              yield event;
            }
          } catch (error) {
            hasFailed = tiny.state === "broken" && last !== undefined;
            throw error;
          }
        },
      };
    },
    fails: ["a watch after a failure starts with the current content"],
  },
  "ends without an ended event": {
    fault: withEvents((event) => (event.type === "ended" ? [] : [event])),
    fails: ["a stream that the backend ends yields an ended event last"],
  },
  "cannot be watched again after an end": {
    fault: (tiny) => {
      let hasEnded = false;
      return withEvents((event) => {
        if (hasEnded) return [];
        hasEnded = event.type === "ended";
        return [event];
      })(tiny);
    },
    fails: ["a watch after an end starts with the current content"],
  },
  "always fails to probe": {
    fault: (tiny) => ({
      async probe(options) {
        await tiny.probe(options);
        throw timedOut();
      },
    }),
    fails: ["a probe of a backend that works resolves"],
  },
  "probes without contacting the backend": {
    fault: (tiny) => ({
      async probe(options) {
        if (tiny.state !== "broken") await tiny.probe(options);
      },
    }),
    fails: ["a probe of a broken backend rejects with the reason"],
  },
  "hides the reason of a failed probe": {
    fault: (tiny) => ({
      async probe(options) {
        if (tiny.state === "broken")
          throw new ProvisioningError("LIFECYCLE_INTERNAL", "something went wrong");
        await tiny.probe(options);
      },
    }),
    fails: ["a probe of a broken backend rejects with the reason"],
  },
  "probes although its signal has aborted": {
    fault: (tiny) => ({
      async probe(options) {
        if (!options.signal.aborted) await tiny.probe(options);
      },
    }),
    fails: ["a probe whose signal has aborted rejects"],
  },
  "does not abort a probe of a backend that hangs": {
    fault: (tiny) => ({
      probe: (options) =>
        tiny.state === "hanging" ? Promise.withResolvers<void>().promise : tiny.probe(options),
    }),
    fails: ["a probe of a backend that hangs rejects as its signal aborts"],
  },
  "leaves a timer after a probe": {
    fault: (tiny) => ({
      probe(options) {
        tiny.clock.schedule(1_000_000, () => undefined);
        return tiny.probe(options);
      },
    }),
    fails: ["a probe leaves nothing open"],
  },
  "causes an unhandled rejection": {
    fault: (tiny) => {
      let reads = 0;
      const emit = tiny.emit.bind(tiny);
      tiny.emit = (change) => {
        if (change === "broke" && reads === 0 && tiny.listeners.size > 0) {
          void Promise.reject(new Error("unhandled"));
        }
        emit(change);
      };
      return {
        watch(options) {
          const events = tiny.watch(options);
          const next = () => {
            reads++;
            return events.next().finally(() => reads--);
          };
          return { [Symbol.asyncIterator]: () => ({ next, return: () => events.return() }) };
        },
      };
    },
    fails: ["a failure that no read awaits is not an unhandled rejection"],
  },
};
