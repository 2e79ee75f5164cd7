import { createDiagnosticsChannel, type DiagnosticsChannel } from "@holdfast/core";
import type { ServiceWarning } from "./service-warning.ts";

/** Every warning of a service, published before listeners receive it. */
export const warningChannel: DiagnosticsChannel<{ readonly warning: ServiceWarning }> =
  createDiagnosticsChannel("holdfast:warning");
