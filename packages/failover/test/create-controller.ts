import { FailoverController } from "../src/failover-controller.ts";
import { toHealthPolicy, type HealthOptions } from "../src/health-policy.ts";
import type { ProviderFailure } from "../src/decision.ts";
import type { Reason } from "@holdfast/core";

export const RETRYABLE: ProviderFailure = {
  reason: { code: "STREAM_FAILED", message: "the connection broke" },
  retryable: true,
};
/** A refusal, which retrying cannot resolve. */
export const FINAL: ProviderFailure = {
  reason: { code: "CONNECTIVITY_UNAUTHORIZED", message: "the token was refused", details: { status: 403 } },
  retryable: false,
};
export const LATE: Reason = { code: "STREAM_LATE", message: "the snapshot was 9000 ms old" };

/** A controller at time 0, with all providers that it wants to watch connecting. */
export function createController(
  priorities: Readonly<Record<string, number>>,
  options: HealthOptions = {},
): FailoverController {
  const controller = new FailoverController(toHealthPolicy(options));
  const set = Object.entries(priorities).map(([id, priority]) => ({ id, priority }));
  for (const id of controller.configure(set, 0).watched) controller.connecting(id, 0);
  return controller;
}
