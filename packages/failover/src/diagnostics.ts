import {
  createDiagnosticsChannel,
  type DiagnosticsChannel,
  type ProviderId,
  type Update,
} from "@holdfast/core";
import type { StreamSignal } from "./stream-signal.ts";

/** What happens on the watch of one provider, before any decision. */
export const providerChannel: DiagnosticsChannel<{
  readonly providerId: ProviderId;
  readonly signal: StreamSignal;
}> = createDiagnosticsChannel("holdfast:provider");

/** What failover hands over after each decision. */
export const updateChannel: DiagnosticsChannel<{ readonly update: Update }> =
  createDiagnosticsChannel("holdfast:update");
