import type { Clock } from "@holdfast/core";
import { resolveSecret } from "@holdfast/core/adapter";
import { DaemonStreams } from "../watching/daemon-streams.ts";
import type { HoldfastSettings } from "./holdfast-params.ts";
import { httpTransport } from "./http-transport.ts";

/** How a daemon is reached. Providers with equal parameters share a connection. */
export type DaemonAccess = Pick<HoldfastSettings, "url" | "token" | "tls">;

export interface SharedDaemon extends Disposable {
  readonly streams: DaemonStreams;
}

export interface DaemonContext {
  readonly clock: Clock;
  readonly instance: string | undefined;
}

interface Entry {
  readonly streams: DaemonStreams;
  readonly transport: Disposable;
  users: number;
}

/** The daemons that the providers of one adapter follow. */
export class SharedDaemons {
  readonly #entries = new Map<string, Entry>();

  /** Dispose of the result: the last one closes the connections. */
  use(access: DaemonAccess, context: DaemonContext): SharedDaemon {
    const { url, token, tls } = access;
    const key = JSON.stringify([new URL(url).origin, token, tls]);
    const entry = this.#entries.get(key) ?? createEntry(access, context);
    this.#entries.set(key, entry);
    entry.users++;
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      if (--entry.users > 0) return;
      this.#entries.delete(key);
      entry.transport[Symbol.dispose]();
    };
    return { streams: entry.streams, [Symbol.dispose]: release };
  }
}

function createEntry({ url, token, tls }: DaemonAccess, { clock, instance }: DaemonContext): Entry {
  const transport = httpTransport({ clock, tls });
  const resolveToken = token && ((signal: AbortSignal) => resolveSecret(token, { signal }));
  const streams = new DaemonStreams({ source: { url, clock, transport, token: resolveToken }, instance });
  return { streams, transport, users: 0 };
}
