import * as z from "zod";
import { toAbortError } from "./abort.ts";
import { ProvisioningError } from "./provisioning-error.ts";
import { readFileWithin } from "./read-file-within.ts";

/** Where a secret is to be read when it is needed. Descriptors hold these and never the secret itself. */
export type SecretReference = { readonly env: string } | { readonly file: string };

const EXPECTED = 'a reference, { "env": NAME } or { "file": PATH }';

/** The schema of a secret parameter: a string or number where it stands is a literal secret, and refused as such. */
export const secretReferenceSchema: z.ZodType<SecretReference> = z.preprocess(
  (value, context) => {
    // YAML reads a password of digits as a number.
    if (typeof value === "string" || typeof value === "number") {
      context.issues.push(literalSecretIssue(value));
    }
    return value;
  },
  z.union(
    [
      z.strictObject({ env: z.string().min(1).max(256) }),
      z.strictObject({ file: z.string().min(1).max(4_096) }),
    ],
    { error: EXPECTED },
  ),
);

function literalSecretIssue(input: unknown): z.core.$ZodRawIssue {
  return {
    code: "custom",
    input,
    message: `${EXPECTED}, not the secret itself`,
    params: { code: "VALIDATION_LITERAL_SECRET" },
  };
}

/** Large enough for every token, key and kubeconfig. */
const MAX_BYTES = 4_194_304;

export interface ResolveSecretOptions {
  readonly signal?: AbortSignal;
  /** @defaultValue process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the secret now, so that a rotated one is seen; a file's surrounding white space is cut. Throws
 * `CONNECTIVITY_SECRET_UNAVAILABLE` naming the reference, also for a file of more than 4 MiB.
 */
export async function resolveSecret(
  reference: SecretReference,
  options: ResolveSecretOptions = {},
): Promise<string> {
  if ("env" in reference) {
    const value = (options.env ?? process.env)[reference.env];
    if (value !== undefined && value !== "") return value;
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `the environment variable "${reference.env}" is not set`,
    );
  }
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(reference.file, { maxBytes: MAX_BYTES, signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted === true) throw toAbortError(options.signal);
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `the secret file "${reference.file}" could not be read`,
      { cause: error },
    );
  }
  const text = bytes?.toString().trim();
  if (text !== undefined && text !== "") return text;
  const failure = text === undefined ? `is longer than ${MAX_BYTES} bytes` : "is empty";
  throw new ProvisioningError(
    "CONNECTIVITY_SECRET_UNAVAILABLE",
    `the secret file "${reference.file}" ${failure}`,
  );
}
