import { inspect } from "node:util";

/**
 * Returns all text that printing an error, or any other value, could reveal: its fields and those of its causes, hidden
 * ones included, in the output of `console.error` and `JSON.stringify`.
 */
export function allTextOf(value: unknown): string {
  const shown = inspect(value, {
    depth: 20,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Number.POSITIVE_INFINITY,
  });
  return [shown, ...textsOf(value, 0)].join("\n");
}

const MAX_CAUSES = 20;

function textsOf(value: unknown, depth: number): readonly string[] {
  if (typeof value !== "object" || value === null || depth > MAX_CAUSES) return [String(value)];
  const fields = Object.getOwnPropertyNames(value).map((name): unknown => Reflect.get(value, name));
  return [
    toJson(value),
    ...fields.map((field) => (Buffer.isBuffer(field) ? field.toString("latin1") : String(field))),
    ...(value instanceof Error && value.cause !== undefined ? textsOf(value.cause, depth + 1) : []),
    ...(value instanceof AggregateError ? value.errors.flatMap((each) => textsOf(each, depth + 1)) : []),
  ];
}

/** Empty where JSON cannot represent the value. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}

/** The forms in which a leaked secret can appear: plain, base64, URL-encoded, hexadecimal, escaped in JSON. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  // The text before a secret shifts its base64 form. For each of the three shifts, this is the part that does not
  // depend on the surrounding text.
  const shifted = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  const all = [
    secret,
    ...shifted,
    ...shifted.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
    encodeURIComponent(secret),
    bytes.toString("hex"),
    bytes.toString("hex").replaceAll(/(..)(?=.)/g, "$1 "),
    JSON.stringify(secret).slice(1, -1),
  ];
  return [...new Set(all)];
}

/** Returns the forms of the secret that occur in the text. */
export function findSecret(text: string, secret: string): readonly string[] {
  return formsOf(secret).filter((form) => text.includes(form));
}
