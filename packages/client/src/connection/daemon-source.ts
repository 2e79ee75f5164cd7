import type { Clock } from "@holdfast/core";
import type { Transport } from "./transport.ts";

/** A daemon to follow, and with what. */
export interface DaemonSource {
  /** The address of the daemon's HTTP endpoints, without a path. */
  readonly url: string;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Sent as a bearer token; read again for every connection. @defaultValue no token */
  readonly token?: ((signal: AbortSignal) => Promise<string>) | undefined;
}
