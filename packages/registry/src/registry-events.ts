import type { ErrorCode, ProviderId } from "@holdfast/core";
import type { RegisteredProvider } from "./registered-provider.ts";

/** A problem that did not fail a call but that an operator should know about. */
export interface RegistryWarning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly providerId?: ProviderId | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The error that caused the warning, if any. It may come from third-party code and is not checked for secrets. */
  readonly cause?: unknown;
}

// A type alias, because mitt's event map does not accept an interface.
export type RegistryEvents = {
  /** The whole set, after it came into force. Replaced instances are disposed of when every listener has returned. */
  changed: readonly RegisteredProvider[];
  warning: RegistryWarning;
};
