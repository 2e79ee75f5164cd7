import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { configJsonSchema, topologyJsonSchema } from "../config/config-json-schema.ts";
import type { CommandContext } from "./command-context.ts";

export type SchemaSubject = "config" | "topology";

/** Prints a JSON Schema, as it is checked in beside files that refer to it. */
export async function schema(subject: SchemaSubject, { out }: CommandContext): Promise<void> {
  await out.write(toSchemaText(subject));
}

export function toSchemaText(subject: SchemaSubject): string {
  const document = subject === "config" ? configJsonSchema(createBuiltInAdapters(".")) : topologyJsonSchema();
  return JSON.stringify(document, undefined, 2);
}
