import {
  createDiagnosticsChannel,
  type DiagnosticsChannel,
  type ProviderId,
  type Update,
} from "@holdfast/core";
import type { StreamSignal } from "./stream-signal.ts";

/** Every signal of the watch on one provider, published before the decision that follows from it. */
export const providerChannel: DiagnosticsChannel<{
  readonly providerId: ProviderId;
  readonly signal: StreamSignal;
}> = createDiagnosticsChannel("holdfast:provider");

/** Every update that failover reports, published before its receiver is called. */
export const updateChannel: DiagnosticsChannel<{ readonly update: Update }> =
  createDiagnosticsChannel("holdfast:update");
