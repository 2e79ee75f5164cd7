import type { ErrorCode } from "./error-codes.ts";
import type { ProvisioningError } from "./provisioning-error.ts";

/** Why something is as it is: a code for programs, a message and facts for people. Never holds a secret or a quoted response. */
export interface Reason {
  readonly code: ErrorCode;
  /** One sentence, without the code; never empty. */
  readonly message: string;
  /** Facts such as the address, the HTTP status or the index. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The error as a reason: its message without the leading `[CODE]`, and its details when it has any. */
export function toReason({ code, message, details }: ProvisioningError): Reason {
  const prefix = `[${code}] `;
  const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return { code, message: text, ...(Object.keys(details).length > 0 && { details }) };
}
