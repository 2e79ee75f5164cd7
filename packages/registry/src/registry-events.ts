import type { ErrorCode, ProviderId } from "@holdfast/core";
import type { RegisteredProvider } from "./registered-provider.ts";

/** Something that did not fail a call but that people should know of. */
export interface RegistryWarning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly providerId?: ProviderId | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** What was thrown, if anything was. What other people's code put into it is not ours to vouch for. */
  readonly cause?: unknown;
}

// A type, not an interface: mitt's event map needs one.
export type RegistryEvents = {
  /** The whole set, after it came into force. What it replaced is disposed of when every listener has returned. */
  changed: readonly RegisteredProvider[];
  warning: RegistryWarning;
};
