/** One named channel of Node's `diagnostics_channel`, for tools that observe a process without changing its code. */
export interface DiagnosticsChannel<T extends object> {
  /** Check it before you build a message, so that a channel without subscribers costs nothing. */
  readonly hasSubscribers: boolean;
  /**
   * Calls every subscriber synchronously. An error of a subscriber becomes an uncaught exception, as Node defines it.
   */
  publish(message: T): void;
}

/** The channel has no subscribers where `node:diagnostics_channel` does not exist, as in a browser. */
export function createDiagnosticsChannel<T extends object>(
  name: `holdfast:${string}`,
): DiagnosticsChannel<T> {
  const platform: Partial<Pick<NodeJS.Process, "getBuiltinModule">> | undefined = globalThis.process;
  return platform?.getBuiltinModule?.("node:diagnostics_channel").channel(name) ?? NO_CHANNEL;
}

const NO_CHANNEL: DiagnosticsChannel<object> = { hasSubscribers: false, publish: () => undefined };
