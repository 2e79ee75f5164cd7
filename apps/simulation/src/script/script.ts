/** The backends of the simulated world. Each may be configured as the provider of the same id. */
export const BACKENDS = ["p", "q", "r", "s"] as const;
export type BackendId = (typeof BACKENDS)[number];

/** How a backend answers from now on. */
export const BACKEND_MOODS = [
  "well",
  /** New connections are refused: `CONNECTIVITY_REFUSED`, which retrying may mend. */
  "refusing",
  /** New connections are refused with a time to come back at. */
  "overloaded",
  /** New connections are refused: `CONNECTIVITY_UNAUTHORIZED`, which retrying can't mend. */
  "forbidding",
  /** Its client throws something that is no error of ours. */
  "foreign",
  /** Says nothing, to nobody. */
  "hanging",
  /** As `hanging`, and its client does not heed the signal. */
  "deaf",
  /** Breaks every connection right after the first answer. */
  "breaking",
  /** Ends every connection right after the first answer. */
  "ending",
  /** Ends every connection, without a word, three seconds after it began. */
  "flapping",
  /** Gives the first answer of a connection, then nothing. */
  "stalling",
  /** Shows life but owes the first answer. */
  "owing",
  /** Its answers are a minute old. */
  "lagging",
] as const;
export type BackendMood = (typeof BACKEND_MOODS)[number];

/** Something that happens to the open connections of a backend. */
export const BACKEND_BLOWS = [
  "break",
  "end",
  /** A foreign error. */
  "shatter",
  /** What it answered last comes again. */
  "repeat",
  /** What it answered before comes again, after the newer one. */
  "reorder",
  /** It comes back from a backup: its index starts over, and its content is that of a while ago. */
  "rollback",
  /** It restarts: connections break, its index starts over, its content stays. */
  "restart",
  /** What it answered last comes again, and is a minute old. */
  "late",
  "heartbeat",
] as const;
export type BackendBlow = (typeof BACKEND_BLOWS)[number];

export const PORTS = ["partition", "placement", "remoting"] as const;
export type PortName = (typeof PORTS)[number];

export const PORT_MOODS = [
  "well",
  /** Takes `ms` for each call. */
  "slow",
  "throwing",
  "rejecting",
  /** Does the work and says it failed. */
  "forgetful",
  /** Never answers; a call rejects when its signal aborts. */
  "hanging",
  /** Never answers and hears no signal. */
  "stuck",
  /** Rejects for `ms`, then works again. */
  "crashed",
] as const;
export type PortMood = (typeof PORT_MOODS)[number];

export const DISK_FAULTS = [
  /** The next save fails with `STORE_IO` and writes nothing. */
  "saveFailsBefore",
  /** The next save writes, and fails with `STORE_IO` all the same. */
  "saveFailsAfter",
  /** Somebody else saves another set: the next save is refused with `STORE_CONFLICT`. */
  "conflict",
  /** The next load fails with `STORE_IO`. */
  "loadFails",
  "slow",
  "fast",
] as const;
export type DiskFault = (typeof DISK_FAULTS)[number];

/** What happens to the file that keeps the last known good snapshot. */
export const SNAPSHOT_FAULTS = [
  /** The next save finds the disk full. */
  "saveFailsBefore",
  /** The next save replaces the file, and fails all the same. */
  "saveFailsAfter",
  /** Saves stand still until the fault is `none`. */
  "savesHang",
  /** The next load fails with `STORE_IO`. */
  "loadFails",
  /** A byte of the file changes. */
  "damaged",
  /** The file loses its end. */
  "cut",
  "lost",
  "none",
] as const;
export type SnapshotFault = (typeof SNAPSHOT_FAULTS)[number];

/** One entry of a configuration. */
export interface ProviderSpec {
  readonly id: BackendId;
  readonly priority: number;
  /** Another variant is another definition of the same id. */
  readonly variant: number;
  /** `blind` can't watch and is disabled; the others are refused by the validation. @defaultValue "good" */
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
  | { readonly do: "mood"; readonly at: BackendId; readonly mood: BackendMood }
  | { readonly do: "latency"; readonly at: BackendId; readonly ms: number }
  | { readonly do: "blow"; readonly at: BackendId; readonly blow: BackendBlow }
  | {
      readonly do: "reload";
      readonly set: readonly ProviderSpec[];
      readonly abortAfterMs?: number | undefined;
    }
  | { readonly do: "register"; readonly provider: ProviderSpec; readonly abortAfterMs?: number | undefined }
  | { readonly do: "remove"; readonly id: BackendId }
  | { readonly do: "restoreSet" }
  /** A reload with the set that is in force. */
  | { readonly do: "resubmit" }
  | { readonly do: "block"; readonly node: string }
  | { readonly do: "restore"; readonly node: string }
  | { readonly do: "override"; readonly id?: BackendId | undefined }
  | { readonly do: "admit"; readonly abortAfterMs?: number | undefined }
  /** Placement publishes leases by itself, computed with the tick it had, or with one before that. */
  | { readonly do: "leases"; readonly back: number }
  | {
      readonly do: "port";
      readonly port: PortName;
      readonly mood: PortMood;
      readonly ms?: number | undefined;
    }
  | { readonly do: "disk"; readonly fault: DiskFault }
  | { readonly do: "snapshotFile"; readonly fault: SnapshotFault }
  /** The operator accepts what the mass-removal guard holds. */
  | { readonly do: "acceptRemovals" }
  | { readonly do: "jump"; readonly ms: number }
  /** Stops the service and starts it again from what is on the disk. */
  | { readonly do: "restart"; readonly deadlineMs: number; readonly away?: Absence | undefined }
  /** As `kill -9`, then a start from what is on the disk. */
  | { readonly do: "kill"; readonly away?: Absence | undefined };

/** What goes by between two lives of the service, in milliseconds. */
export interface Absence {
  readonly ms: number;
  /** By how much the wall clock jumps besides. */
  readonly jumpMs: number;
}

/** What one life of the service is configured with. Durations are milliseconds. */
export interface LifeSetting {
  /** @defaultValue the cooldown */
  readonly removalDwellMs?: number | undefined;
  /** @defaultValue off */
  readonly massRemoval?:
    | { readonly share: number; readonly holdMs: number; readonly when: "contested" | "always" }
    | false
    | undefined;
  /** @defaultValue nothing is kept */
  readonly lastKnownGood?: { readonly maxAgeMs: number; readonly saveEveryMs: number } | undefined;
}

/** What stays the same for a whole run. Durations are milliseconds. */
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
  /** What tells one backend's nodes from another's: the address, a mark beside it, or nothing. */
  readonly marks: "host" | "metadata" | "none";
  /** Each life is configured as the next of them, and after the last one as the first again. */
  readonly lives: readonly LifeSetting[];
  /** On the disk before the first start. */
  readonly providers: readonly ProviderSpec[];
}

/** Plain data: everything that happens in a run, but for the chance that the seed gives the service. */
export interface Script {
  readonly seed: number;
  readonly setting: Setting;
  readonly steps: readonly Step[];
}
