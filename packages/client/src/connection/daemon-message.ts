import {
  ProvisioningError,
  TOPOLOGY_STATUSES,
  type NodeId,
  type Reason,
  type TopologyStatus,
} from "@holdfast/core";

interface Position {
  readonly epoch: string;
  readonly seqNo: number;
}

/** Everything about a snapshot but its members. */
export interface ContentHead {
  readonly providerId: string;
  readonly hash: string;
  readonly memberCount: number;
  /** When the daemon read it, in milliseconds of the daemon's clock; absent when the daemon does not report it. */
  readonly observedAt: number | undefined;
  readonly retained: readonly NodeId[] | undefined;
}

/** The whole topology. `content` is absent while the daemon has none. Members are not checked yet. */
export interface StateMessage extends Position {
  readonly type: "state";
  readonly status: TopologyStatus;
  readonly reason: Reason;
  readonly isStale: boolean;
  readonly content:
    | (ContentHead & {
        /** Absent when the daemon left them out, because the request named the hash of the content. */
        readonly members: readonly unknown[] | undefined;
        readonly blockedNodes: readonly NodeId[];
      })
    | undefined;
}

/** What changed. Members are not checked yet. */
export interface SnapshotMessage extends Position, ContentHead {
  readonly type: "snapshot";
  readonly previousHash: string | undefined;
  readonly upsert: readonly unknown[];
  readonly removed: readonly NodeId[];
  readonly blockedNodes: readonly NodeId[];
}

export interface StatusMessage extends Position {
  readonly type: "status";
  readonly status: TopologyStatus;
  readonly reason: Reason;
  readonly isStale: boolean;
}

/** An event that changes neither content nor status, such as the health of one of the daemon's providers. */
export interface OtherMessage extends Position {
  readonly type: "other";
}

/** A message with a position in the daemon's log. */
export type LogMessage = StateMessage | SnapshotMessage | StatusMessage | OtherMessage;

/** The daemons that all that follows comes through: the sender first. It has no position in the log. */
export interface ViaMessage {
  readonly type: "via";
  readonly instances: readonly string[];
}

export type DaemonMessage = LogMessage | ViaMessage;

/** Maximum number of daemons in a chain. */
const MAX_VIA = 64;
/** Maximum length of the id of a daemon's instance. */
const MAX_INSTANCE_LENGTH = 256;

const STATUSES: ReadonlySet<unknown> = new Set(TOPOLOGY_STATUSES);

/** Reads an event of `/events`. Throws `STREAM_INVALID_DATA`, which names the field and does not quote its value. */
export function parseDaemonMessage(event: string, data: string): DaemonMessage {
  if (event === "via") return { type: "via", instances: parseInstances(data) };
  const fields = new Fields(event, parseObject(event, data));
  const position = { epoch: fields.text("epoch"), seqNo: fields.count("seqNo") };
  switch (event) {
    case "state":
      return { type: "state", ...position, ...toStatus(fields, "status"), content: toContent(fields) };
    case "snapshot": {
      const delta = fields.object("delta");
      return {
        type: "snapshot",
        ...position,
        ...toHead(fields),
        previousHash: fields.optionalText("previousHash"),
        upsert: [...delta.list("added"), ...delta.list("updated")],
        removed: delta.texts("removed"),
        blockedNodes: fields.texts("blockedNodes"),
      };
    }
    case "status_changed":
      return { type: "status", ...position, ...toStatus(fields, "to") };
    default:
      return { type: "other", ...position };
  }
}

function toHead(fields: Fields): ContentHead {
  return {
    providerId: fields.text("providerId"),
    hash: fields.text("hash"),
    memberCount: fields.count("memberCount"),
    observedAt: fields.optionalTime("observedAt"),
    retained: fields.has("retained") ? fields.texts("retained") : undefined,
  };
}

function toContent(fields: Fields): StateMessage["content"] {
  if (!fields.has("hash")) return undefined;
  const members = fields.has("members") ? fields.list("members") : undefined;
  return { ...toHead(fields), members, blockedNodes: fields.texts("blockedNodes") };
}

function toStatus(
  fields: Fields,
  name: string,
): { readonly status: TopologyStatus; readonly reason: Reason; readonly isStale: boolean } {
  const status = fields.status(name);
  const isStale = fields.flag("isStale");
  const message = fields.text("reason");
  const code = fields.has("cause") ? fields.object("cause").optionalText("code") : undefined;
  // The code of the daemon is not this process's own: it may be of a newer version.
  const details = code === undefined ? undefined : { upstreamCode: code };
  return { status, isStale, reason: { code: "STREAM_STALE", message, ...(details && { details }) } };
}

function parseInstances(data: string): readonly string[] {
  const value = parseJson("via", data);
  if (Array.isArray(value) && value.length > 0 && value.length <= MAX_VIA && value.every(isInstance))
    return value;
  throw invalid("via", "its data", `an array of 1 to ${MAX_VIA} ids of daemons`);
}

function isInstance(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_INSTANCE_LENGTH;
}

function parseObject(event: string, data: string): Readonly<Record<string, unknown>> {
  const value = parseJson(event, data);
  if (!isObject(value)) throw invalid(event, "its data", "a JSON object");
  return value;
}

function parseJson(event: string, data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw invalid(event, "its data", "JSON");
  }
}

/** Reads the fields of one JSON object, each with a check of its type. */
class Fields {
  readonly #event: string;
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(event: string, object: Readonly<Record<string, unknown>>) {
    this.#event = event;
    this.#object = object;
  }

  has(name: string): boolean {
    const value = this.#object[name];
    return value !== undefined && value !== null;
  }

  text(name: string): string {
    const value = this.#object[name];
    if (typeof value === "string" && value !== "") return value;
    throw invalid(this.#event, `"${name}"`, "a string");
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  count(name: string): number {
    const value = this.#object[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw invalid(this.#event, `"${name}"`, "a whole number that is not negative");
  }

  optionalTime(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.#object[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw invalid(this.#event, `"${name}"`, "a number of milliseconds");
  }

  flag(name: string): boolean {
    const value = this.#object[name];
    if (typeof value === "boolean") return value;
    throw invalid(this.#event, `"${name}"`, "true or false");
  }

  status(name: string): TopologyStatus {
    const value = this.#object[name];
    if (isStatus(value)) return value;
    throw invalid(this.#event, `"${name}"`, "a status of a topology");
  }

  list(name: string): readonly unknown[] {
    const value = this.#object[name];
    if (Array.isArray(value)) return value;
    throw invalid(this.#event, `"${name}"`, "an array");
  }

  texts(name: string): readonly string[] {
    const value = this.list(name);
    if (value.every((item) => typeof item === "string")) return value;
    throw invalid(this.#event, `"${name}"`, "an array of strings");
  }

  object(name: string): Fields {
    const value = this.#object[name];
    if (isObject(value)) return new Fields(this.#event, value);
    throw invalid(this.#event, `"${name}"`, "an object");
  }
}

function isStatus(value: unknown): value is TopologyStatus {
  return STATUSES.has(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The name of the event is the daemon's and may be anything, so it is cut and written as JSON. */
function invalid(event: string, what: string, expected: string): ProvisioningError {
  const name = JSON.stringify(event.slice(0, 40));
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `an event ${name} of the daemon: ${what} is not ${expected}`,
  );
}
