import { isProvisioningError, MemberSet, ProvisioningError, type SourceEvent } from "@holdfast/core";
import { aborted, saying, timedOut, type ProviderFaults } from "./provider-fault.ts";

export const FAILURE_FAULTS: ProviderFaults = {
  "gives no heartbeat": {
    fault: saying((event) => (event.type === "heartbeat" ? [] : [event])),
    fails: ["while nothing changes a sign of life comes at least every heartbeatMs"],
  },
  "gives heartbeats too seldom": {
    fault: (tiny) => {
      let count = 0;
      return saying((event) => (event.type === "heartbeat" && ++count % 2 === 0 ? [] : [event]))(tiny);
    },
    fails: ["while nothing changes a sign of life comes at least every heartbeatMs"],
  },
  "beats without a backend": {
    fault: (tiny) => ({
      async *watch(options) {
        const schedule = tiny.clock.schedule.bind(tiny.clock);
        // What it schedules as a heartbeat comes whatever the backend's state.
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
    fails: ["a backend that hangs gives no sign of life"],
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
  "begins on a broken backend with nobody": {
    fault: (tiny) => ({
      async *watch(options) {
        if (tiny.state === "broken") yield { type: "snapshot", snapshot: tiny.snapshot(MemberSet.empty) };
        yield* tiny.watch(options);
      },
    }),
    fails: ["a new watch on a broken backend fails and shows nothing"],
  },
  "throws what its client threw": {
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
    fails: ["what a watch fails with is a ProvisioningError"],
  },
  "begins after a failure with what it knew": {
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
    fails: ["a watch after a failure starts afresh with the current content"],
  },
  "ends without a word": {
    fault: saying((event) => (event.type === "ended" ? [] : [event])),
    fails: ["a stream that the backend ends is terminated as its last word"],
  },
  "cannot be watched again after an end": {
    fault: (tiny) => {
      let hasEnded = false;
      return saying((event) => {
        if (hasEnded) return [];
        hasEnded = event.type === "ended";
        return [event];
      })(tiny);
    },
    fails: ["a watch after an end starts afresh with the current content"],
  },
  "probes in vain": {
    fault: (tiny) => ({
      async probe(options) {
        await tiny.probe(options);
        throw timedOut();
      },
    }),
    fails: ["a probe of a backend that works resolves"],
  },
  "probes without asking": {
    fault: (tiny) => ({
      async probe(options) {
        if (tiny.state !== "broken") await tiny.probe(options);
      },
    }),
    fails: ["a probe of a broken backend rejects and says what is wrong"],
  },
  "does not say what is wrong when probed": {
    fault: (tiny) => ({
      async probe(options) {
        if (tiny.state === "broken")
          throw new ProvisioningError("LIFECYCLE_INTERNAL", "something went wrong");
        await tiny.probe(options);
      },
    }),
    fails: ["a probe of a broken backend rejects and says what is wrong"],
  },
  "probes though told to stop": {
    fault: (tiny) => ({
      async probe(options) {
        if (!options.signal.aborted) await tiny.probe(options);
      },
    }),
    fails: ["a probe whose signal has aborted rejects"],
  },
  "goes on probing a backend that hangs": {
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
  "rejects where nobody listens": {
    fault: (tiny) => {
      let reads = 0;
      const tell = tiny.tell.bind(tiny);
      tiny.tell = (news) => {
        if (news === "broke" && reads === 0 && tiny.listeners.size > 0) {
          void Promise.reject(new Error("nobody listens"));
        }
        tell(news);
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
    fails: ["a failure that nobody is waiting for is no unhandled rejection"],
  },
};
