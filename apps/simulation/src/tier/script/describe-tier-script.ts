import { FOLLOWERS, type TierScript, type TierStep } from "./tier-script.ts";

/** Describes a step in one line. */
export function describeTierStep(step: TierStep): string {
  switch (step.do) {
    case "wait":
      return `wait ${step.ms} ms`;
    case "change":
      return `the cluster is [${step.nodes.join(" ")}]`;
    case "backend":
      return `the backend of ${step.at} is ${step.is}`;
    case "backends":
      return `all backends are ${step.is}`;
    case "link":
      return `the link from ${step.from} to ${step.to} is ${step.is}`;
    case "cut":
      return `the connections from ${step.from} to ${step.to} break: ${step.how}`;
    case "corrupt":
      return `the next change that ${step.at} sends lacks a member`;
    case "putAside":
      return `the snapshot of ${step.at} is put aside`;
    case "restart":
      return `${step.at} is killed, and starts ${step.downMs} ms later with ${step.kept}`;
    case "restartFollower":
      return `${step.at} is restarted`;
    case "block":
      return `${step.at} blocks ${step.node}`;
    default:
      return `${step.at} restores ${step.node}`;
  }
}

/** Describes the settings and every step, one line each. */
export function describeTierScript({ seed, setting, steps }: TierScript): readonly string[] {
  const { followers, ...rest } = setting;
  const settings = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return [
    `seed ${seed}, ${settings.join(" ")}`,
    ...followers.map(({ daemons, isMany, keepsSnapshot }, index) => {
      const what = isMany ? "two topologies" : "one topology";
      const kept = keepsSnapshot ? ", and keeps its newest snapshot" : "";
      return `${FOLLOWERS[index]} follows ${what} of ${daemons.join(", then ")}${kept}`;
    }),
    ...steps.map((step, index) => `${String(index).padStart(3)}  ${describeTierStep(step)}`),
  ];
}
