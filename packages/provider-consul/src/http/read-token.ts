import { ProvisioningError } from "@holdfast/core";
import { resolveSecret, type SecretReference } from "@holdfast/core/adapter";

/** Throws `CONNECTIVITY_SECRET_UNAVAILABLE` naming the reference, also for what cannot be the value of a header. */
export async function readToken(reference: SecretReference, signal: AbortSignal): Promise<string> {
  const token = await resolveSecret(reference, { signal });
  try {
    // Not imported: `node:http` re-exports fetch and WebSocket, and an import loads them.
    process.getBuiltinModule("node:http").validateHeaderValue("x-consul-token", token);
    return token;
  } catch {
    const name =
      "env" in reference ? `the environment variable "${reference.env}"` : `the file "${reference.file}"`;
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `${name} does not contain a token: it has characters that a header value cannot have`,
      { details: { ...reference } },
    );
  }
}
