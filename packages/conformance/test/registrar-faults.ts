import {
  createClusterNode,
  isProvisioningError,
  ProvisioningError,
  type ClusterNode,
  type Registration,
  type RegistrationCallOptions,
} from "@holdfast/core";
import type { MemoryRegistrarBackend, VirtualClock } from "@holdfast/testing";

interface FaultTools {
  /** The correct registration; a fault replaces some of its functions. */
  readonly correct: Registration;
  readonly self: ClusterNode;
  readonly backend: MemoryRegistrarBackend;
  readonly clock: VirtualClock;
}

/** Returns the functions that replace the correct ones. Called once for each registration. */
export type RegistrarFault = (tools: FaultTools) => Partial<Registration>;

interface NamedFault {
  readonly fault: RegistrarFault;
  /** The tests that must fail, and no others. */
  readonly fails: readonly string[];
}

const never: RegistrationCallOptions = { signal: new AbortController().signal };

function lost(): ProvisioningError {
  return new ProvisioningError("LIFECYCLE_REGISTRATION_LOST", "lost");
}

/** Announces something other than the given member. */
function announcing(change: (self: ClusterNode) => ClusterNode): RegistrarFault {
  return ({ correct, self, backend, clock }) => {
    const other = backend.registrar.open(change(self), { clock });
    return {
      register: (options) => other.register(options),
      beat: (options) => other.beat(options),
      drain: (options) => other.drain(options),
      leave: (options) => other.leave(options),
      async [Symbol.asyncDispose]() {
        await correct[Symbol.asyncDispose]();
        await other[Symbol.asyncDispose]();
      },
    };
  };
}

/** Calls the correct function, and then does something else if the error has this code. */
async function orElse(code: string, call: Promise<void>, other: () => Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isProvisioningError(error) || error.code !== code) throw error;
    await other();
  }
}

/** Fails most tests. */
export const NEVER_REGISTERS: RegistrarFault = () => ({ register: async () => undefined });

/** The faults by name. A name completes the sentence "fails a registrar that …". */
export const REGISTRAR_FAULTS: Readonly<Record<string, NamedFault>> = {
  "announces when it is opened": {
    fault({ correct }) {
      correct.register(never).catch(() => undefined);
      return {};
    },
    fails: [
      "opening a registration announces nothing",
      "a beat without an entry is rejected with LIFECYCLE_REGISTRATION_LOST",
      "a call whose signal has already aborted does nothing",
    ],
  },
  "forgets the metadata": {
    fault: announcing((self) => createClusterNode({ ...self, metadata: undefined })),
    fails: ["a registered member is listed with every field"],
  },
  "adds a weight": {
    fault: announcing((self) => createClusterNode({ ...self, weight: self.weight ?? 1 })),
    fails: ["a member with only the required fields is listed"],
  },
  "can register only once": {
    fault({ correct }) {
      let isRegistered = false;
      return {
        async register(options) {
          if (isRegistered) throw new ProvisioningError("VALIDATION_DUPLICATE_ID", "the id is taken");
          await correct.register(options);
          isRegistered = true;
        },
      };
    },
    fails: [
      "registering again lists the member once",
      "a member that was not listed for want of beats comes back",
      "registering ends a drain",
      "a beat reports that the backend has lost the entry, and registering repairs it",
      "a backend that fails rejects every call with a code",
      "a call to a backend that hangs ends with its signal, for its reason",
      "after disposal every call is rejected with LIFECYCLE_STOPPED",
    ],
  },
  "removes all entries when it leaves": {
    fault: ({ correct, backend }) => ({
      async leave(options) {
        await correct.leave(options);
        backend.loseData();
      },
    }),
    fails: [
      "members are independent of each other",
      "the entry of a living process is neither replaced nor removed",
    ],
  },
  "beats by itself": {
    fault({ correct, clock }) {
      let timer: Disposable | undefined;
      const schedule = () => {
        timer = clock.schedule(500, () => {
          correct.beat(never).catch(() => undefined);
          schedule();
        });
      };
      return {
        async register(options) {
          await correct.register(options);
          timer?.[Symbol.dispose]();
          schedule();
        },
        [Symbol.asyncDispose]() {
          timer?.[Symbol.dispose]();
          return correct[Symbol.asyncDispose]();
        },
      };
    },
    fails: [
      "a member that does not beat is not listed after its time to live",
      "a member that was not listed for want of beats comes back",
    ],
  },
  "does not renew its entry": {
    fault({ correct, clock, backend, self }) {
      let since = 0;
      return {
        async register(options) {
          since = clock.monotonic();
          await correct.register(options);
        },
        async beat(options) {
          await correct.beat(options);
          if (clock.monotonic() - since > 3_000 && backend.members.some(({ id }) => id === self.id))
            await correct.leave(options);
        },
      };
    },
    fails: ["beats keep a member listed"],
  },
  "does not come back after it has expired": {
    fault({ correct, backend }) {
      let hasRegistered = false;
      return {
        async register(options) {
          const isDrained = backend.calls.some(({ name }) => name === "drain");
          if (hasRegistered && backend.members.length === 0 && !isDrained) return;
          await correct.register(options);
          hasRegistered = true;
        },
      };
    },
    fails: [
      "a member that was not listed for want of beats comes back",
      "a beat reports that the backend has lost the entry, and registering repairs it",
    ],
  },
  "ignores a drain": {
    fault: ({ correct }) => ({
      async drain(options) {
        await correct.beat(options);
      },
    }),
    fails: ["a drained member is not listed", "beats do not end a drain"],
  },
  "can drain only once": {
    fault({ correct }) {
      let isDrained = false;
      return {
        async drain(options) {
          if (isDrained) throw new ProvisioningError("LIFECYCLE_RUNNING", "it drains already");
          await correct.drain(options);
          isDrained = true;
        },
      };
    },
    fails: ["a drained member is not listed"],
  },
  "removes its entry when it drains": {
    fault: ({ correct }) => ({
      async drain(options) {
        await correct.beat(options);
        await correct.leave(options);
      },
    }),
    fails: ["a drained member is not listed", "beats do not end a drain"],
  },
  "ends a drain with the next beat": {
    fault: ({ correct }) => ({
      async beat(options) {
        await correct.beat(options);
        await correct.register(options);
      },
    }),
    fails: ["beats do not end a drain"],
  },
  "stays drained for ever": {
    fault({ correct }) {
      let isDrained = false;
      return {
        register: (options) => (isDrained ? correct.beat(options) : correct.register(options)),
        async drain(options) {
          await correct.drain(options);
          isDrained = true;
        },
      };
    },
    fails: ["registering ends a drain"],
  },
  "does not leave": {
    fault: ({ correct }) => ({
      leave: (options) => orElse("LIFECYCLE_REGISTRATION_LOST", correct.beat(options), async () => undefined),
    }),
    fails: [
      "members are independent of each other",
      "a member that left is not listed",
      "after leaving, another process can use the id at once",
      "a beat without an entry is rejected with LIFECYCLE_REGISTRATION_LOST",
    ],
  },
  "rejects leaving without an entry": {
    fault: ({ correct }) => ({
      async leave(options) {
        await correct.beat(options);
        await correct.leave(options);
      },
    }),
    fails: [
      "a member that left is not listed",
      "leaving without an entry resolves",
      "the entry of a living process is neither replaced nor removed",
      "leaving resolves when the backend has lost the entry",
      "leaving after an aborted registration leaves no entry",
    ],
  },
  "leaves a drained entry behind": {
    fault({ correct }) {
      let isDrained = false;
      return {
        async drain(options) {
          await correct.drain(options);
          isDrained = true;
        },
        leave: (options) => (isDrained ? correct.drain(options) : correct.leave(options)),
      };
    },
    fails: ["after leaving, another process can use the id at once"],
  },
  "registers with a beat": {
    fault: ({ correct }) => ({
      beat: (options) =>
        orElse("LIFECYCLE_REGISTRATION_LOST", correct.beat(options), () => correct.register(options)),
    }),
    fails: [
      "a beat without an entry is rejected with LIFECYCLE_REGISTRATION_LOST",
      "a beat reports that the backend has lost the entry, and registering repairs it",
    ],
  },
  "reports a lost entry with another code": {
    fault: ({ correct }) => ({
      beat: (options) =>
        orElse("LIFECYCLE_REGISTRATION_LOST", correct.beat(options), () =>
          Promise.reject(new ProvisioningError("STREAM_FAILED", "the entry is missing")),
        ),
    }),
    fails: [
      "a beat without an entry is rejected with LIFECYCLE_REGISTRATION_LOST",
      "a beat reports that the backend has lost the entry, and registering repairs it",
    ],
  },
  "does not take over the entry of a dead process": {
    fault: ({ correct, backend, self }) => ({
      async register(options) {
        const ownCalls = backend.calls.filter(({ name, id }) => name === "register" && id === self.id);
        const hasLeft = backend.calls.some(({ name, id }) => name === "leave" && id === self.id);
        if (ownCalls.length > 0 && !hasLeft && backend.openRegistrations === 1)
          throw new ProvisioningError("VALIDATION_DUPLICATE_ID", "the id is taken");
        await correct.register(options);
      },
    }),
    fails: [
      "registering again lists the member once",
      "a member that was not listed for want of beats comes back",
      "registering ends a drain",
      "a later process takes over the entry of one that died",
      "a later process takes over the entry of one that died while it drained",
      "a beat reports that the backend has lost the entry, and registering repairs it",
      "a backend that fails rejects every call with a code",
      "calls succeed again after the backend was repaired",
      "a call to a backend that hangs ends with its signal, for its reason",
    ],
  },
  "takes over the entry of a living process": {
    fault: ({ correct, backend }) => ({
      register: (options) =>
        orElse("VALIDATION_DUPLICATE_ID", correct.register(options), async () => {
          backend.loseData();
          await correct.register(options);
        }),
    }),
    fails: ["the entry of a living process is neither replaced nor removed"],
  },
  "reports a broken backend without a code": {
    fault: ({ correct }) => ({
      drain: (options) =>
        orElse("CONNECTIVITY_REFUSED", correct.drain(options), () =>
          Promise.reject(new Error("ECONNREFUSED")),
        ),
    }),
    fails: ["a backend that fails rejects every call with a code"],
  },
  "takes a broken backend for one without an entry": {
    fault: ({ correct }) => ({
      leave: (options) => orElse("CONNECTIVITY_REFUSED", correct.leave(options), async () => undefined),
    }),
    fails: ["a backend that fails rejects every call with a code"],
  },
  "gives up after the first failure": {
    fault({ correct }) {
      let failure: unknown;
      return {
        async register(options) {
          if (failure !== undefined) throw failure;
          await correct.register(options).catch((error: unknown) => {
            failure = error;
            throw error;
          });
        },
      };
    },
    fails: [
      "a later process takes over the entry of one that died",
      "a later process takes over the entry of one that died while it drained",
      "calls succeed again after the backend was repaired",
    ],
  },
  "replaces the reason of an abort": {
    fault: ({ correct }) => ({
      beat: (options) =>
        orElse("CONNECTIVITY_TIMEOUT", correct.beat(options), () =>
          Promise.reject(new ProvisioningError("LIFECYCLE_ABORTED", "aborted")),
        ),
    }),
    fails: ["a call to a backend that hangs ends with its signal, for its reason"],
  },
  "ignores an abort": {
    fault: ({ correct, backend }) => ({
      drain: (options) => correct.drain(backend.state === "hanging" ? never : options),
    }),
    fails: ["a call to a backend that hangs ends with its signal, for its reason"],
  },
  "registers late after an abort": {
    fault: ({ correct, backend, clock }) => ({
      async register(options) {
        try {
          await correct.register(options);
        } catch (error) {
          if (backend.state === "hanging" && options.signal.aborted)
            clock.schedule(60, () => void correct.register(never).catch(() => undefined));
          throw error;
        }
      },
    }),
    fails: ["leaving after an aborted registration leaves no entry"],
  },
  "leaves a timer after an abort": {
    fault: ({ correct, clock }) => ({
      beat: (options) =>
        correct.beat(options).catch((error: unknown) => {
          if (options.signal.aborted) clock.schedule(1_000_000, () => undefined);
          throw error;
        }),
    }),
    fails: ["an abort leaves nothing open"],
  },
  "registers although its signal has aborted": {
    fault: ({ correct }) => ({
      async register(options) {
        if (options.signal.aborted) await correct.register(never);
        await correct.register(options);
      },
    }),
    fails: ["a call whose signal has already aborted does nothing"],
  },
  "leaves a listener on the signal": {
    fault: ({ correct }) => ({
      register(options) {
        options.signal.addEventListener("abort", () => undefined);
        return correct.register(options);
      },
    }),
    fails: ["a call that has ended leaves no listener on its signal"],
  },
  "leaves when it is disposed of": {
    fault: ({ correct }) => ({
      async [Symbol.asyncDispose]() {
        await correct.leave(never).catch(() => undefined);
        await correct[Symbol.asyncDispose]();
      },
    }),
    fails: ["disposal does not remove the entry", "disposal ends a running call with LIFECYCLE_STOPPED"],
  },
  "beats after disposal": {
    fault: ({ correct }) => ({
      beat: (options) => orElse("LIFECYCLE_STOPPED", correct.beat(options), async () => undefined),
    }),
    fails: [
      "after disposal every call is rejected with LIFECYCLE_STOPPED",
      "disposal ends a running call with LIFECYCLE_STOPPED",
    ],
  },
  "does not end running calls when it is disposed of": {
    fault({ correct, backend }) {
      let isDisposed = false;
      return {
        async beat(options) {
          if (backend.state !== "hanging" || isDisposed) return correct.beat(options);
          const { promise, reject } = Promise.withResolvers<void>();
          options.signal.addEventListener("abort", () => reject(options.signal.reason), { once: true });
          return promise;
        },
        [Symbol.asyncDispose]() {
          isDisposed = true;
          return correct[Symbol.asyncDispose]();
        },
      };
    },
    fails: ["an abort leaves nothing open", "disposal ends a running call with LIFECYCLE_STOPPED"],
  },
  "can be disposed of only once": {
    fault({ correct }) {
      let isDisposed = false;
      return {
        async [Symbol.asyncDispose]() {
          if (isDisposed) throw lost();
          isDisposed = true;
          await correct[Symbol.asyncDispose]();
        },
      };
    },
    fails: ["disposal may be repeated and may overlap"],
  },
  "disposes of what it never opened": {
    fault({ correct }) {
      let connection: object | undefined;
      return {
        register(options) {
          connection = {};
          return correct.register(options);
        },
        async [Symbol.asyncDispose]() {
          if (connection === undefined) throw new TypeError("undefined has no close");
          await correct[Symbol.asyncDispose]();
        },
      };
    },
    fails: ["a registration that was never used can be disposed of"],
  },
  "leaves a timer when it is disposed of": {
    fault: ({ correct, clock }) => ({
      [Symbol.asyncDispose]() {
        clock.schedule(1_000_000, () => undefined);
        return correct[Symbol.asyncDispose]();
      },
    }),
    fails: ["disposal leaves nothing open"],
  },
};
