/** The simulated backends. Each may be configured as the provider with the same id. */
export const BACKENDS = ["p", "q", "r", "s"] as const;
export type BackendId = (typeof BACKENDS)[number];

/** How a backend behaves from now on. */
export const BACKEND_BEHAVIOURS = [
  "well",
  /** New connections are refused with `CONNECTIVITY_REFUSED`, which is retryable. */
  "refusing",
  /** New connections are refused with a time after which to retry. */
  "overloaded",
  /** New connections are refused with `CONNECTIVITY_UNAUTHORIZED`, which is not retryable. */
  "forbidding",
  /** Its client throws an error that is not a ProvisioningError. */
  "foreign",
  /** Sends nothing on any connection. */
  "hanging",
  /** Like `hanging`, and its client ignores the abort signal. */
  "deaf",
  /** Every connection fails right after the first response. */
  "breaking",
  /** Every connection ends right after the first response. */
  "ending",
  /** Every connection ends three seconds after it was opened. */
  "flapping",
  /** Sends the first response of a connection, then nothing. */
  "stalling",
  /** Sends heartbeats but not the first response. */
  "heartbeatsOnly",
  /** Its responses are a minute old. */
  "lagging",
] as const;
export type BackendBehaviour = (typeof BACKEND_BEHAVIOURS)[number];

/** An incident that affects the open connections of a backend. */
export const BACKEND_INCIDENTS = [
  "break",
  "end",
  /** Every connection fails with an error that is not a ProvisioningError. */
  "shatter",
  /** The last response is sent again. */
  "repeat",
  /** The response before the last one is sent again. */
  "reorder",
  /** The backend is restored from a backup: its index starts again, and its content is older. */
  "rollback",
  /** The backend restarts: connections fail and its index starts again; its content stays. */
  "restart",
  /** The last response is sent again and is a minute old. */
  "late",
  "heartbeat",
] as const;
export type BackendIncident = (typeof BACKEND_INCIDENTS)[number];

export const PORTS = ["partition", "placement", "remoting"] as const;
export type PortName = (typeof PORTS)[number];

export const PORT_BEHAVIOURS = [
  "well",
  /** Each call takes `ms`. */
  "slow",
  "throwing",
  "rejecting",
  /** Does the work but reports a failure. */
  "forgetful",
  /** Never responds; a call rejects when its signal aborts. */
  "hanging",
  /** Never responds and ignores the signal. */
  "stuck",
  /** Rejects for `ms`, then works again. */
  "crashed",
] as const;
export type PortBehaviour = (typeof PORT_BEHAVIOURS)[number];

export const DISK_FAULTS = [
  /** The next save fails with `STORE_IO` and writes nothing. */
  "saveFailsBefore",
  /** The next save writes, but fails with `STORE_IO`. */
  "saveFailsAfter",
  /** Another process saves a different set, so the next save is refused with `STORE_CONFLICT`. */
  "conflict",
  /** The next load fails with `STORE_IO`. */
  "loadFails",
  "slow",
  "fast",
] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

/** Faults of the file with the last known good snapshot. */
export const SNAPSHOT_FAULTS = [
  /** The next save fails because the disk is full. */
  "saveFailsBefore",
  /** The next save replaces the file, but fails. */
  "saveFailsAfter",
  /** Saves hang until the fault is `none`. */
  "savesHang",
  /** The next load fails with `STORE_IO`. */
  "loadFails",
  /** A byte of the file changes. */
  "damaged",
  /** The file is truncated. */
  "cut",
  "lost",
  "none",
] as const;
export type SnapshotFault = (typeof SNAPSHOT_FAULTS)[number];

/** One entry of a configuration. */
export interface ProviderSpec {
  readonly id: BackendId;
  readonly priority: number;
  /** A different variant is a different definition of the same id. */
  readonly variant: number;
  /** `blind` cannot watch and is disabled; the others are refused by the validation. @defaultValue "good" */
  readonly flaw?: "good" | "blind" | "unknownKind" | "missingField" | "literalSecret" | undefined;
}

export type Step =
  | { readonly do: "wait"; readonly ms: number }
  | {
      readonly do: "members";
      readonly at: BackendId;
      readonly nodes: readonly string[];
      readonly skipped?: number | undefined;
    }
  | { readonly do: "behaviour"; readonly at: BackendId; readonly behaviour: BackendBehaviour }
  | { readonly do: "latency"; readonly at: BackendId; readonly ms: number }
  | { readonly do: "incident"; readonly at: BackendId; readonly incident: BackendIncident }
  | {
      readonly do: "reload";
      readonly set: readonly ProviderSpec[];
      readonly abortAfterMs?: number | undefined;
    }
  | { readonly do: "register"; readonly provider: ProviderSpec; readonly abortAfterMs?: number | undefined }
  | { readonly do: "remove"; readonly id: BackendId }
  | { readonly do: "restoreSet" }
  /** A reload with the set in force. */
  | { readonly do: "resubmit" }
  | { readonly do: "block"; readonly node: string }
  | { readonly do: "restore"; readonly node: string }
  | { readonly do: "override"; readonly id?: BackendId | undefined }
  | { readonly do: "admit"; readonly abortAfterMs?: number | undefined }
  /** Placement publishes leases outside applySnapshot, computed with its current tick, or with an earlier one. */
  | { readonly do: "leases"; readonly back: number }
  | {
      readonly do: "port";
      readonly port: PortName;
      readonly behaviour: PortBehaviour;
      readonly ms?: number | undefined;
    }
  | { readonly do: "disk"; readonly fault: DiskFault }
  | { readonly do: "snapshotFile"; readonly fault: SnapshotFault }
  /** The operator accepts what the mass-removal guard holds. */
  | { readonly do: "acceptRemovals" }
  | { readonly do: "jump"; readonly ms: number }
  /** Stops the service and starts it again from the disk. */
  | { readonly do: "restart"; readonly deadlineMs: number; readonly away?: Absence | undefined }
  /** Like `kill -9`, then a start from the disk. */
  | { readonly do: "kill"; readonly away?: Absence | undefined };

/** The time between two lives of the service, in milliseconds. */
export interface Absence {
  readonly ms: number;
  /** Additional jump of the wall clock. */
  readonly jumpMs: number;
}

/** The configuration of one life of the service. Durations are in milliseconds. */
export interface LifeSetting {
  /** @defaultValue the cooldown */
  readonly removalDwellMs?: number | undefined;
  /** @defaultValue off */
  readonly massRemoval?:
    | { readonly share: number; readonly holdMs: number; readonly when: "contested" | "always" }
    | false
    | undefined;
  /** @defaultValue nothing is stored */
  readonly lastKnownGood?: { readonly maxAgeMs: number; readonly saveEveryMs: number } | undefined;
}

/** The settings of a whole run. Durations are in milliseconds. */
export interface Setting {
  readonly standby: "warm" | "cold";
  readonly timeoutMs: number;
  readonly maxErrors: number;
  readonly cooldownMs: number;
  readonly lateSnapshotMs: number;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  readonly probe: "require" | "warn";
  readonly suppressAfter: number;
  readonly suppressMs: number;
  readonly callTimeoutMs: number;
  readonly callTries: number;
  /** How nodes of different backends differ: by address, by metadata, or not at all. */
  readonly marks: "host" | "metadata" | "none";
  /** Each life uses the next of these settings; after the last one the first is used again. */
  readonly lives: readonly LifeSetting[];
  /** The stored providers before the first start. */
  readonly providers: readonly ProviderSpec[];
}

/**
 * Everything that happens in a run, as plain data, except for the random numbers of the service, which come from the
 * seed.
 */
export interface Script {
  readonly seed: number;
  readonly setting: Setting;
  readonly steps: readonly Step[];
}
