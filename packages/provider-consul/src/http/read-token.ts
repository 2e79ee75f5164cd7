import { ProvisioningError } from "@holdfast/core";
import { resolveSecret, type SecretReference } from "@holdfast/core/adapter";

/**
 * Reads the token. Throws `CONNECTIVITY_SECRET_UNAVAILABLE`, with the name of the reference, if the token cannot be
 * read or cannot be sent in a header.
 */
export async function readToken(reference: SecretReference, signal: AbortSignal): Promise<string> {
  const token = await resolveSecret(reference, { signal });
  try {
    // Not imported, because `node:http` re-exports fetch and WebSocket, and an import would load them.
    process.getBuiltinModule("node:http").validateHeaderValue("x-consul-token", token);
    return token;
  } catch {
    const name =
      "env" in reference ? `the environment variable "${reference.env}"` : `the file "${reference.file}"`;
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `${name} does not contain a token: it contains characters that are not allowed in a header`,
      { details: { ...reference } },
    );
  }
}
