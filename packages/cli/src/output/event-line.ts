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

const SWITCH_WORDS: Readonly<Record<SwitchReason, (event: ProviderChangedEvent) => string>> = {
  timeout: ({ from }) => `${from} gave no sign of life in time`,
  errors: ({ from }) => `${from} failed`,
  stream_ended: ({ from }) => `the stream of ${from} ended`,
  health_degraded: ({ from }) => `${from} is not healthy`,
  recovered: ({ to }) => `${to} has stayed healthy again`,
  manual_override: () => "an operator chose it",
  removed_by_reload: ({ from }) => `${from} was taken out of the configuration`,
};

/** An event as people read it: time of day, number, kind, words. One line, whatever names hold. */
export function toEventLine(event: TopologyEvent, paint: Paint): string {
  const { at, seqNo, kind } = event;
  const head = `${paint("dim", toTimeOfDay(at))}  ${paint("dim", `#${seqNo}`.padEnd(5))}`;
  return `${head} ${paint("bold", kind.padEnd(17))}  ${toWords(event, paint)}`;
}

/** Local time, to the millisecond: `09:05:03.042`. */
export function toTimeOfDay(at: number): string {
  const date = new Date(at);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function toWords(event: TopologyEvent, paint: Paint): string {
  if (event.kind === "snapshot") return toSnapshotWords(event, paint);
  if (event.kind === "provider_changed") {
    const reason = paint("dim", toPrintable(SWITCH_WORDS[event.reason](event)) + toDetail(event.cause));
    return `${toPrintable(event.from)} → ${paint("magenta", toPrintable(event.to))}  ${reason}`;
  }
  if (event.kind === "stream_terminated") {
    const { reason } = event;
    if (reason.kind === "ended")
      return `the stream of ${toPrintable(event.providerId)} ${paint("yellow", "was ended by the backend")}`;
    const { code, message } = reason;
    const how = `${paint("yellow", `broke: ${code}`)}${message === undefined ? "" : paint("dim", toDetail({ message }))}`;
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
      : `${guard} ${paint("green", "lets go")}`;
  }
  return `${event.from} → ${paint(STATUS_COLOUR[event.to], event.to)}  ${reason}`;
}

function toDetail(cause: Pick<Reason, "message"> | undefined): string {
  return cause === undefined ? "" : `: ${toPrintable(cause.message)}`;
}

function toSnapshotWords(event: SnapshotEvent, paint: Paint): string {
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
    snapshot.skipped === undefined ? [] : [paint("yellow", `${snapshot.skipped.count} unreadable left out`)];
  const members = `${count} ${count === 1 ? "member" : "members"}`;
  return [
    `${members} from ${paint("magenta", toPrintable(snapshot.providerId))}`,
    ...changes,
    ...skipped,
  ].join("  ");
}

const NAMED = 3;

/** Names a few and counts the many. */
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
