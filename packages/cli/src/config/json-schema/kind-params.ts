import type { AnyProviderAdapter } from "@holdfast/core";
import * as z from "zod";
import { isFields, type Fields } from "../topologies/fields.ts";

/** The parameters of one schema, as references into the definitions of the document. */
export interface ParamsSchema {
  /** A reference to the whole schema. */
  readonly whole: Fields;
  /** A reference to the schema of each parameter, without the information whether it is required. */
  readonly properties: Fields;
  /** True when other parameters are refused. */
  readonly isClosed: boolean;
}

/** The JSON Schema of one kind of provider. */
export interface KindSchema {
  readonly kind: string;
  readonly params: ParamsSchema;
  /** Absent when the kind cannot list services. */
  readonly discovery?: ParamsSchema | undefined;
  /** What the references refer to, for `$defs` of the document. */
  readonly definitions: Fields;
}

export function describeKind({ kind, params, discovery }: AnyProviderAdapter): KindSchema {
  const names = { params: `params.${kind}`, discovery: `discovery.${kind}` };
  const schemas = { [names.params]: params, ...(discovery && { [names.discovery]: discovery.params }) };
  // One conversion, so that definitions inside of the schemas are collected in one place.
  const document = z.toJSONSchema(z.object(schemas), { io: "input", unrepresentable: "any" });
  const properties: Fields = document.properties ?? {};
  return {
    kind,
    params: describeParams(names.params, properties),
    ...(discovery && { discovery: describeParams(names.discovery, properties) }),
    definitions: { ...document.$defs, ...properties },
  };
}

function describeParams(name: string, definitions: Fields): ParamsSchema {
  const pointer = `#/$defs/${escape(name)}`;
  const schema = definitions[name];
  const whole = { $ref: pointer };
  const objects = isFields(schema) ? listObjects(schema, pointer) : [];
  return {
    whole,
    properties: Object.assign({}, ...objects.map(toReferences)),
    isClosed:
      objects.length > 0 &&
      objects.every(({ schema: { additionalProperties } }) => additionalProperties === false),
  };
}

interface Place {
  readonly schema: Fields;
  readonly pointer: string;
}

/** Returns the object schemas that a schema consists of: itself, or the parts of a union or an intersection. */
function listObjects(schema: Fields, pointer: string): readonly Place[] {
  if (isFields(schema["properties"])) return [{ schema, pointer }];
  return ["anyOf", "oneOf", "allOf"].flatMap((name) => {
    const parts = schema[name];
    if (!Array.isArray(parts)) return [];
    return parts.flatMap((part: unknown, index) =>
      isFields(part) ? listObjects(part, `${pointer}/${name}/${index}`) : [],
    );
  });
}

function toReferences({ schema, pointer }: Place): Fields {
  const names = Object.keys(isFields(schema["properties"]) ? schema["properties"] : {});
  return Object.fromEntries(names.map((name) => [name, { $ref: `${pointer}/properties/${escape(name)}` }]));
}

/** Escapes a name for a JSON Pointer (RFC 6901) in a URL fragment. */
function escape(name: string): string {
  return encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
}
