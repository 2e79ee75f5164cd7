/** Values by the names of placeholders: `service` is the value of `{service}`. */
export type TemplateValues = Readonly<Record<string, string>>;

/** Braces around anything else are text, as in `a{2}`. */
const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/** Replaces the placeholders in all texts of a JSON value. A placeholder without a value stays. */
export function fillTemplate(template: string, values: TemplateValues): string;
export function fillTemplate(
  template: Readonly<Record<string, unknown>>,
  values: TemplateValues,
): Readonly<Record<string, unknown>>;
export function fillTemplate(template: unknown, values: TemplateValues): unknown;
export function fillTemplate(template: unknown, values: TemplateValues): unknown {
  if (typeof template === "string") {
    return template.replaceAll(PLACEHOLDER, (text, name: string) =>
      Object.hasOwn(values, name) ? values[name]! : text,
    );
  }
  if (Array.isArray(template)) return template.map((inner: unknown) => fillTemplate(inner, values));
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, inner]: [string, unknown]) => [key, fillTemplate(inner, values)]),
  );
}

/** The names of the placeholders in all texts of a JSON value. */
export function placeholdersOf(template: unknown): ReadonlySet<string> {
  if (typeof template === "string") {
    return new Set([...template.matchAll(PLACEHOLDER)].flatMap(([, name]) => name ?? []));
  }
  if (typeof template !== "object" || template === null) return new Set();
  return new Set(Object.values(template).flatMap((inner: unknown) => [...placeholdersOf(inner)]));
}
