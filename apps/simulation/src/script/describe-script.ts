import type { Absence, LifeSetting, ProviderSpec, Script, Step } from "./script.ts";

/** Describes a step in one line. */
export function describeStep(step: Step): string {
  switch (step.do) {
    case "wait":
      return `wait ${step.ms} ms`;
    case "members":
      return `${step.at} has [${step.nodes.join(" ")}]${step.skipped === undefined ? "" : `, ${step.skipped} unreadable`}`;
    case "behaviour":
      return `${step.at} is ${step.behaviour}`;
    case "latency":
      return `${step.at} takes ${step.ms} ms`;
    case "incident":
      return `${step.at}: ${step.incident}`;
    case "reload":
      return `reload ${describeSpecs(step.set)}${describeAbort(step)}`;
    case "register":
      return `register ${describeSpecs([step.provider])}${describeAbort(step)}`;
    case "remove":
      return `remove ${step.id}`;
    case "restoreSet":
      return "restore the set from the disk";
    case "resubmit":
      return "reload the set in force";
    case "block":
      return `block ${step.node}`;
    case "restore":
      return `restore ${step.node}`;
    case "override":
      return step.id === undefined ? "release the override" : `override ${step.id}`;
    case "admit":
      return `admit${describeAbort(step)}`;
    case "leases":
      return `Placement publishes leases${step.back === 0 ? "" : " of an earlier tick"}`;
    case "port":
      return `${step.port} is ${step.behaviour}${step.ms === undefined ? "" : ` (${step.ms} ms)`}`;
    case "disk":
      return `the disk: ${step.fault}`;
    case "snapshotFile":
      return `the snapshot file: ${step.fault}`;
    case "acceptRemovals":
      return "accept the removals";
    case "jump":
      return `the wall clock jumps by ${step.ms} ms`;
    case "restart":
      return `restart, stopping within ${step.deadlineMs} ms${describeAbsence(step.away)}`;
    default:
      return `kill -9, and start again${describeAbsence(step.away)}`;
  }
}

/** Describes the settings and every step, one line each. */
export function describeScript({ seed, setting, steps }: Script): readonly string[] {
  const { providers, lives, ...rest } = setting;
  const settings = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return [
    `seed ${seed}, ${settings.join(" ")}`,
    ...lives.map((life) => `guards of a life: ${describeLife(life)}`),
    `on the disk: ${describeSpecs(providers)}`,
    ...steps.map((step, index) => `${String(index).padStart(3)}  ${describeStep(step)}`),
  ];
}

function describeSpecs(set: readonly ProviderSpec[]): string {
  const entries = set.map(({ id, priority, variant, flaw }) => {
    const version = variant === 0 ? "" : ` variant ${variant}`;
    return `${id}@${priority}${version}${flaw === undefined || flaw === "good" ? "" : ` ${flaw}`}`;
  });
  return `{${entries.join(", ")}}`;
}

function describeLife({ removalDwellMs, massRemoval, lastKnownGood }: LifeSetting): string {
  const parts = [`dwell ${removalDwellMs ?? "as the cooldown"}`];
  if (massRemoval === false) parts.push("no mass-removal guard");
  else if (massRemoval !== undefined) {
    const { share, holdMs, when } = massRemoval;
    parts.push(`removals of ${share} or more are held ${when} for ${holdMs} ms`);
  }
  if (lastKnownGood !== undefined)
    parts.push(`known good for ${lastKnownGood.maxAgeMs} ms, saved every ${lastKnownGood.saveEveryMs} ms`);
  return parts.join(", ");
}

function describeAbsence(away: Absence | undefined): string {
  if (away === undefined) return "";
  return ` ${away.ms} ms later${away.jumpMs === 0 ? "" : `, the wall clock jumps by ${away.jumpMs} ms`}`;
}

function describeAbort({ abortAfterMs }: { readonly abortAfterMs?: number | undefined }): string {
  return abortAfterMs === undefined ? "" : `, aborted after ${abortAfterMs} ms`;
}
