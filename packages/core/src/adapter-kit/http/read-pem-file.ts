import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { throwIfAborted } from "../../time/abort.ts";
import { describeFileFailure } from "../files/describe-file-failure.ts";
import { readFileWithin } from "../files/read-file-within.ts";

/** Ten times the size of a bundle of all public certificate authorities. */
const MAX_BYTES = 4_194_304;

/** Reads a file of certificates or a key. Throws `CONNECTIVITY_TLS` when it cannot be read or is longer than 4 MiB. */
export async function readPemFile(path: string, signal: AbortSignal): Promise<Buffer> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(path, { maxBytes: MAX_BYTES, signal });
  } catch (error) {
    throwIfAborted(signal);
    throw new ProvisioningError(
      "CONNECTIVITY_TLS",
      `the certificate or key file "${path}" could not be read: ${describeFileFailure(error)}`,
      { cause: error, details: { file: path } },
    );
  }
  if (bytes !== undefined) return bytes;
  throw new ProvisioningError(
    "CONNECTIVITY_TLS",
    `the certificate or key file "${path}" is longer than ${MAX_BYTES} bytes`,
    { details: { file: path, maxBytes: MAX_BYTES } },
  );
}
