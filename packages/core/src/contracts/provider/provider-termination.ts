import type { ErrorCode } from "../../errors/error-codes.ts";

/** How a provider's stream ended. */
export type ProviderTermination =
  | { readonly kind: "ended" }
  | {
      readonly kind: "errored";
      readonly code: ErrorCode;
      /** A text for people: what failed and where; see `Reason`. */
      readonly message?: string | undefined;
      readonly details?: Readonly<Record<string, unknown>> | undefined;
    };
