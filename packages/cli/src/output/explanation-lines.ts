import { toTimeOfDay } from "./event-line.ts";
import { toPrintable } from "./printable.ts";
import type { Explained } from "./explained.ts";
import type { Colour, Paint } from "./paint.ts";

const STANDING_COLOUR: ReadonlyMap<string, Colour> = new Map([
  ["in", "green"],
  ["blocked", "red"],
  ["held", "yellow"],
  ["out", "red"],
]);

/** Formats an explanation as text: the result, then the facts behind it. */
export function toExplanationLines(explanation: Explained, paint: Paint): readonly string[] {
  const { nodeId, standing, rule, reason, node, hold, remote, lastChange, providers } = explanation;
  const row = (name: string, text: string) => `  ${paint("dim", name.padEnd(10))} ${toPrintable(text)}`;
  const verdict = paint(STANDING_COLOUR.get(standing) ?? "dim", toPrintable(standing));
  const lines = [
    `${paint("bold", toPrintable(nodeId))} is ${verdict}  ${paint("dim", toPrintable(rule))}`,
    row("why", reason),
  ];
  if (node !== undefined) lines.push(row("address", `${node.host}:${node.port}`));
  if (hold?.until !== undefined) lines.push(row("until", `${toTimeOfDay(hold.until)} at the latest`));
  if (lastChange !== undefined) {
    const { change, seqNo, at, providerId } = lastChange;
    lines.push(row("last", `${change} at #${seqNo}, ${toTimeOfDay(at)}, by ${providerId}`));
  } else if (explanation.keptSince !== undefined) {
    lines.push(row("last", `unchanged since #${explanation.keptSince}; earlier events are no longer kept`));
  }
  for (const { providerId, isActive, isListed, observedAt } of providers) {
    const fact = isListed ? "lists it" : "does not list it";
    lines.push(row(providerId, `${fact}, as of ${toTimeOfDay(observedAt)}${isActive ? " (active)" : ""}`));
  }
  if (remote !== undefined)
    lines.push(row("remoting", `${remote.state}, since ${toTimeOfDay(remote.lastUpdateAt)}`));
  const { snapshot, seqNo, status } = explanation;
  const from =
    snapshot === undefined ? "no snapshot" : `snapshot #${snapshot.seqNo} of ${snapshot.providerId}`;
  lines.push(row("topology", `${status}, ${from}, log at #${seqNo}`));
  return lines;
}
