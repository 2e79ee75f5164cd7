import { describeForm, formatPath, type ValidationProblem } from "@holdfast/core";

// Matched against the letters of a name, in lower case: `X-Consul-Token`, `API_KEY` and `dbPassword2` all end in a word
// for a secret. `tokenFile`, `secretName`, `accessKeyId` and `tokenTtlMs` do not: their last word names what they hold.
const SECRET_NAME = new RegExp(
  "(?:^pass|tokens?|passwords?|passwd|pwd|passphrases?|secrets?|credentials?|authorization|bearer|cookies?|jwt|basicauth" +
    "|keydata|(?:api|access|secret|private|signing|encryption|shared|auth|account|master)keys?)" +
    "(?:value|text|string|literal|plain|plaintext|raw|base)?$",
);

const VALUE_NAME = /^(?:value|text|string|literal|plain|plaintext|raw|data)$/i;

const URL_PASSWORD = /:\/\/[^\s/?#@:]*:[^\s/?#@]+@/;
const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;
const AUTHORIZATION = /^\s*(?:bearer|basic)\s+\S+\s*$/i;
/**
 * Matches `token=x`, `Password: x` and `"secret":"x"`, but not a comparison (`==`). The lookbehind keeps the search
 * linear.
 */
const ASSIGNMENT = /(?<![a-z0-9_.-])([a-z0-9_.-]+)["']?\s*(?:=(?!=)|:(?=[\s"']))\s*["']?[^\s"'&;,]/gi;

const REFERENCE = 'a reference, { "env": NAME } or { "file": PATH }, not the secret itself';
/** Replaces, in a path, a name that is itself a secret. */
export const HIDDEN = "(hidden)";
const MAX_PROBLEMS = 100;

/**
 * Finds literal secrets in plain data: a text or number under a name that ends in a word for a secret (`consulToken`,
 * `api_key`), a list of such texts, the `value` next to or below such a name, and anywhere a URL with a password, a PEM
 * private key, a `Bearer` or `Basic` header value, and `password=...` or `token: ...` within a text. A problem never
 * quotes a text.
 */
export function findLiteralSecrets(
  data: unknown,
  at: readonly PropertyKey[] = [],
): readonly ValidationProblem[] {
  return scan(data, at, false).slice(0, MAX_PROBLEMS);
}

function scan(value: unknown, at: readonly PropertyKey[], isSecret: boolean): readonly ValidationProblem[] {
  if (typeof value === "string") {
    const expected = isSecret && value !== "" ? REFERENCE : secretIn(value);
    return expected === undefined ? [] : [toProblem(at, expected, describeForm(value))];
  }
  if (typeof value === "number") {
    // Under a plural name a number is a count: `maxTokens`.
    const isCount = String(at.at(-1)).toLowerCase().endsWith("s");
    return isSecret && !isCount ? [toProblem(at, REFERENCE, "a number")] : [];
  }
  if (Array.isArray(value)) return value.flatMap((inner, index) => scan(inner, [...at, index], isSecret));
  if (typeof value !== "object" || value === null) return [];
  const isNamedSecret = isSecret || ["name", "key"].some((key) => isSecretName(Reflect.get(value, key)));
  return Object.entries(value).flatMap(([key, inner]) => {
    const hidden = secretIn(key);
    if (hidden !== undefined) return [toProblem([...at, HIDDEN], hidden, "a name that contains one")];
    return scan(inner, [...at, key], isSecretName(key) || (isNamedSecret && VALUE_NAME.test(key)));
  });
}

function isSecretName(name: unknown): boolean {
  return typeof name === "string" && SECRET_NAME.test(name.toLowerCase().replaceAll(/[^a-z]/g, ""));
}

/** If the text contains a secret, returns what was expected in its place. */
function secretIn(text: string): string | undefined {
  if (URL_PASSWORD.test(text)) return "a URL without a password";
  if (PRIVATE_KEY.test(text)) return "a reference to a private key, not the key itself";
  if (AUTHORIZATION.test(text)) return "no authorization header value";
  for (const [, name] of text.matchAll(ASSIGNMENT))
    if (isSecretName(name)) return "a text without a secret in it";
  return undefined;
}

function toProblem(at: readonly PropertyKey[], expected: string, got: string): ValidationProblem {
  return { path: formatPath(at), expected, got, code: "VALIDATION_LITERAL_SECRET" };
}
