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
  readonly retained: readonly NodeId[] | undefined;
}

/** The whole topology. `content` is absent while the daemon has none. Members are not checked yet. */
export interface StateMessage extends Position {
  readonly type: "state";
  readonly status: TopologyStatus;
  readonly reason: Reason;
  readonly isStale: boolean;
  readonly content:
    | (ContentHead & { readonly members: readonly unknown[]; readonly blockedNodes: readonly NodeId[] })
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

export type DaemonMessage = StateMessage | SnapshotMessage | StatusMessage | OtherMessage;

const STATUSES: ReadonlySet<unknown> = new Set(TOPOLOGY_STATUSES);

/** Reads an event of `/events`. Throws `STREAM_INVALID_DATA`, which names the field and does not quote its value. */
export function parseDaemonMessage(event: string, data: string): DaemonMessage {
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
    retained: fields.has("retained") ? fields.texts("retained") : undefined,
  };
}

function toContent(fields: Fields): StateMessage["content"] {
  if (!fields.has("hash")) return undefined;
  return { ...toHead(fields), members: fields.list("members"), blockedNodes: fields.texts("blockedNodes") };
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

function parseObject(event: string, data: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw invalid(event, "its data", "JSON");
  }
  if (!isObject(value)) throw invalid(event, "its data", "a JSON object");
  return value;
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
