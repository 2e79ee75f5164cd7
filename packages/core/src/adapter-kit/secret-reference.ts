import * as z from "zod";
import { throwIfAborted } from "../time/abort.ts";
import { describeFileFailure } from "./files/describe-file-failure.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { readFileWithin } from "./files/read-file-within.ts";

/**
 * The location of a secret, which is read when it is needed. Descriptors contain references and never the secret
 * itself.
 */
export type SecretReference = { readonly env: string } | { readonly file: string };

const EXPECTED = 'a reference, { "env": NAME } or { "file": PATH }';

/** The schema of a secret parameter. A string or number instead of a reference is refused as a literal secret. */
export const secretReferenceSchema: z.ZodType<SecretReference, SecretReference> = z.preprocess(
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

/** 4 MiB: enough for every token, key and kubeconfig. */
const MAX_BYTES = 4_194_304;

export interface ResolveSecretOptions {
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * `line`: a token or password, which is sent as a header value and therefore cannot contain control characters.
   * `text`: several lines, such as a kubeconfig. @defaultValue "line"
   */
  readonly form?: "line" | "text" | undefined;
}

/**
 * Reads the secret on each call, so that a rotated one is used, and removes surrounding white space. Throws
 * `CONNECTIVITY_SECRET_UNAVAILABLE` for a secret that is missing, empty, blank, longer than 4 MiB or not of the `form`,
 * and for a file that hangs. The error names the variable or the file and never quotes its content.
 */
export async function resolveSecret(
  reference: SecretReference,
  options: ResolveSecretOptions = {},
): Promise<string> {
  const { form = "line", env = process.env } = options;
  const name =
    "env" in reference ? `environment variable "${reference.env}"` : `secret file "${reference.file}"`;
  const unavailable = (failure: string, cause?: unknown) =>
    new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `the ${name} ${failure}`, {
      ...(cause !== undefined && { cause }),
      details: { ...reference },
    });
  let text: string;
  if ("env" in reference) {
    const value = env[reference.env];
    if (value === undefined || value === "") throw unavailable("is not set");
    text = value.trim();
  } else {
    let bytes: Buffer | undefined;
    try {
      bytes = await readFileWithin(reference.file, { maxBytes: MAX_BYTES, signal: options.signal });
    } catch (error) {
      throwIfAborted(options.signal);
      throw unavailable(`could not be read: ${describeFileFailure(error)}`, error);
    }
    if (bytes === undefined) throw unavailable(`is longer than ${MAX_BYTES} bytes`);
    // `trim` also removes a byte order mark.
    text = bytes.toString().trim();
  }
  if (text === "") throw unavailable("is empty");
  if (form === "line" && CONTROL.test(text)) {
    throw unavailable("contains a line break or another control character in the middle");
  }
  return text;
}

// oxlint-disable-next-line no-control-regex -- the characters that a header value cannot contain (RFC 9110, section 5.5)
const CONTROL = /[\u0000-\u001f\u007f]/;
