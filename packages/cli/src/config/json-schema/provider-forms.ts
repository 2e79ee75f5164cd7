import { providerIdSchema } from "@holdfast/core/adapter";
import * as z from "zod";
import type { Backends } from "../topologies/backends.ts";
import type { Fields } from "../topologies/fields.ts";
import type { KindSchema, ParamsSchema } from "./kind-params.ts";

export interface FormOptions {
  readonly kinds: readonly KindSchema[];
  /** Empty: the backends are not known. */
  readonly backends: Backends;
  /** True: every parameter may be a text with a placeholder. @defaultValue false */
  readonly isTemplate?: boolean | undefined;
}

/** The forms of an entry of a list of providers: of each kind in the long form, and by a backend of each kind. */
export function providerForms(options: FormOptions): readonly Fields[] {
  const { kinds, isTemplate = false } = options;
  const id = toJson(providerIdSchema.describe("The name of the provider, unique in the list."));
  const place = {
    id: isTemplate ? { anyOf: [id, PLACEHOLDER] } : id,
    priority: toJson(
      z
        .int()
        .min(-1_000_000)
        .max(1_000_000)
        .describe(
          "The healthy provider of highest priority is active. All entries of a list have a priority, or none: then the list is in order of preference.",
        ),
    ),
  };
  const longForms = kinds.map(({ kind, params }) => ({
    description: `A provider of kind "${kind}".`,
    type: "object",
    properties: {
      id: place.id,
      kind: { const: kind, description: "The kind of its backend." },
      priority: place.priority,
      params: isTemplate ? toObject(params, { isTemplate }) : params.whole,
    },
    required: ["id", "kind", "params"],
    additionalProperties: false,
  }));
  const byBackend = withBackends(options).map(({ kind, params, backend }) =>
    toObject(params, {
      description: `A provider of a backend of kind "${kind}".`,
      fields: { backend, ...place },
      required: ["backend"],
      isTemplate,
    }),
  );
  return [...byBackend, ...longForms];
}

/** The forms of a backend: a kind, and any of its parameters. */
export function backendForms({ kinds }: FormOptions): readonly Fields[] {
  return kinds.map(({ kind, params }) =>
    toObject(params, {
      description: `A backend of kind "${kind}", and parameters of all providers that name it.`,
      fields: { kind: { const: kind, description: "The kind of the backend." } },
      required: ["kind"],
    }),
  );
}

/** The forms of an entry of `from`: a backend of a kind that can list services. */
export function sourceForms(options: FormOptions): readonly Fields[] {
  return withBackends(options).flatMap(({ kind, discovery, backend }) =>
    discovery === undefined
      ? []
      : [
          toObject(discovery, {
            description: `The services of a backend of kind "${kind}".`,
            fields: { backend },
            required: ["backend"],
          }),
        ],
  );
}

/** Returns the kinds, each with the schema of the names of its backends. When backends are known, kinds without one are left out. */
function withBackends({
  kinds,
  backends,
}: FormOptions): readonly (KindSchema & { readonly backend: Fields })[] {
  const description = "The name of an entry of backends.";
  return kinds.flatMap((kind) => {
    const names = [...backends].flatMap(([name, backend]) => (backend.kind === kind.kind ? [name] : []));
    if (backends.size > 0 && names.length === 0) return [];
    return [{ ...kind, backend: { description, type: "string", ...(names.length > 0 && { enum: names }) } }];
  });
}

interface ObjectOptions {
  readonly description?: string;
  readonly fields?: Fields;
  readonly required?: readonly string[];
  readonly isTemplate?: boolean;
}

const PLACEHOLDER = {
  description: "A text with a placeholder such as {service}.",
  type: "string",
  pattern: "\\{[A-Za-z]",
};

/** An object with some fields and any of the parameters. */
function toObject({ properties, isClosed }: ParamsSchema, options: ObjectOptions): Fields {
  const { description, fields = {}, required, isTemplate = false } = options;
  const own = isTemplate
    ? Object.fromEntries(
        Object.entries(properties).map(([name, schema]) => [name, { anyOf: [schema, PLACEHOLDER] }]),
      )
    : properties;
  return {
    ...(description !== undefined && { description }),
    type: "object",
    properties: { ...own, ...fields },
    ...(required && { required }),
    ...(isClosed && { additionalProperties: false }),
  };
}

function toJson(schema: z.ZodType): Fields {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
