import { createDiagnosticsChannel, type DiagnosticsChannel } from "@holdfast/core";
import type { ServiceWarning } from "./service-warning.ts";

/** Each warning of a service, before listeners receive it. */
export const warningChannel: DiagnosticsChannel<{ readonly warning: ServiceWarning }> =
  createDiagnosticsChannel("holdfast:warning");
