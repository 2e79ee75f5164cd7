import type { ErrorCode } from "../../errors/error-codes.ts";

/** How a provider's stream came to its end. */
export type ProviderTermination =
  | { readonly kind: "ended" }
  | {
      readonly kind: "errored";
      readonly code: ErrorCode;
      /** For people: what failed and where; see `Reason`. */
      readonly message?: string | undefined;
      readonly details?: Readonly<Record<string, unknown>> | undefined;
    };
