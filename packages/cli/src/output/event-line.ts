import type {
  ProviderChangedEvent,
  ProviderHealth,
  Reason,
  SnapshotEvent,
  SwitchReason,
  TopologyEvent,
  TopologyStatus,
} from "@holdfast/core";
import type { Colour, Paint } from "./paint.ts";
import { toPrintable } from "./printable.ts";

const STATUS_COLOUR: Readonly<Record<TopologyStatus, Colour>> = {
  starting: "dim",
  ready: "green",
  degraded: "yellow",
  empty: "yellow",
  unavailable: "red",
  draining: "cyan",
  stopped: "cyan",
};

const HEALTH_COLOUR: Readonly<Record<ProviderHealth, Colour>> = {
  idle: "dim",
  connecting: "dim",
  healthy: "green",
  degraded: "yellow",
  unreachable: "red",
  disabled: "red",
};

const SWITCH_TEXT: Readonly<Record<SwitchReason, (event: ProviderChangedEvent) => string>> = {
  timeout: ({ from }) => `${from} sent nothing within the timeout`,
  errors: ({ from }) => `${from} failed`,
  stream_ended: ({ from }) => `the stream of ${from} ended`,
  health_degraded: ({ from }) => `${from} is not healthy`,
  recovered: ({ to }) => `${to} has recovered`,
  manual_override: () => "an operator selected it",
  removed_by_reload: ({ from }) => `${from} was removed from the configuration`,
};

export interface EventLineOptions {
  readonly paint: Paint;
  /** The name of the topology, padded. @defaultValue the line has no such column */
  readonly topology?: string | undefined;
}

/**
 * Formats an event as one line of text: time of day, topology, number, kind, description. Characters that could break the
 * line are replaced.
 */
export function toEventLine(event: TopologyEvent, { paint, topology }: EventLineOptions): string {
  const { at, seqNo, kind } = event;
  const head = toLineHead({ at, topology, mark: paint("dim", `#${seqNo}`.padEnd(5)), paint });
  return `${head} ${paint("bold", kind.padEnd(17))}  ${toText(event, paint)}`;
}

export interface LineHead extends EventLineOptions {
  readonly at: number;
  /** The number of an event, or what other lines have in its place. */
  readonly mark: string;
}

/** Formats the first columns of a line. */
export function toLineHead({ at, topology, mark, paint }: LineHead): string {
  const name = topology === undefined ? "" : `${paint("cyan", topology)}  `;
  return `${paint("dim", toTimeOfDay(at))}  ${name}${mark}`;
}

/** Formats local time with milliseconds: `09:05:03.042`. */
export function toTimeOfDay(at: number): string {
  const date = new Date(at);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function toText(event: TopologyEvent, paint: Paint): string {
  if (event.kind === "snapshot") return toSnapshotText(event, paint);
  if (event.kind === "provider_changed") {
    const reason = paint("dim", toPrintable(SWITCH_TEXT[event.reason](event)) + toDetail(event.cause));
    return `${toPrintable(event.from)} → ${paint("magenta", toPrintable(event.to))}  ${reason}`;
  }
  if (event.kind === "stream_terminated") {
    const { reason } = event;
    if (reason.kind === "ended")
      return `the stream of ${toPrintable(event.providerId)} ${paint("yellow", "was ended by the backend")}`;
    const { code, message } = reason;
    const how = `${paint("yellow", `failed: ${code}`)}${message === undefined ? "" : paint("dim", toDetail({ message }))}`;
    return `the stream of ${toPrintable(event.providerId)} ${how}`;
  }
  if (event.kind === "health_changed") {
    const reason = event.reason && `${event.reason.code}${toDetail(event.reason)}`;
    const words = reason === undefined ? "" : `  ${paint("dim", reason)}`;
    return `${toPrintable(event.providerId)}: ${event.from} → ${paint(HEALTH_COLOUR[event.to], event.to)}${words}`;
  }
  const reason = paint("dim", toPrintable(event.reason));
  if (event.kind === "guard_changed") {
    const { guard, isHolding, nodes } = event;
    return isHolding
      ? `${guard} ${paint("yellow", `holds ${nodes}`)}  ${reason}`
      : `${guard} ${paint("green", "released")}`;
  }
  return `${event.from} → ${paint(STATUS_COLOUR[event.to], event.to)}  ${reason}`;
}

function toDetail(cause: Pick<Reason, "message"> | undefined): string {
  return cause === undefined ? "" : `: ${toPrintable(cause.message)}`;
}

function toSnapshotText(event: SnapshotEvent, paint: Paint): string {
  const { snapshot, delta } = event;
  const count = snapshot.members.size;
  const changes = [
    toChange("+", delta.added, (node) => node.id, "green", paint),
    toChange("~", delta.updated, (update) => update.after.id, "yellow", paint),
    toChange("-", delta.removed, (node) => node.id, "red", paint),
    toChange("blocked ", delta.blocked, (id) => id, "red", paint),
    toChange("unblocked ", delta.unblocked, (id) => id, "green", paint),
  ].filter((change) => change !== "");
  const skipped =
    snapshot.skipped === undefined
      ? []
      : [paint("yellow", `${snapshot.skipped.count} unreadable entries left out`)];
  const members = `${count} ${count === 1 ? "member" : "members"}`;
  return [
    `${members} from ${paint("magenta", toPrintable(snapshot.providerId))}`,
    ...changes,
    ...skipped,
  ].join("  ");
}

const NAMED = 3;

/** Names up to three items, and counts the rest. */
function toChange<T>(
  sign: string,
  changed: readonly T[],
  toId: (item: T) => string,
  colour: Colour,
  paint: Paint,
): string {
  if (changed.length === 0) return "";
  if (changed.length > NAMED) return paint(colour, `${sign}${changed.length}`);
  return paint(colour, changed.map((item) => sign + toPrintable(toId(item))).join(" "));
}
