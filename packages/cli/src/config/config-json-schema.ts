import type { AnyProviderAdapter } from "@holdfast/core";
import { providerIdSchema } from "@holdfast/core/adapter";
import { topologyFileSchema } from "@holdfast/provider-file";
import * as z from "zod";
import { createConfigSchema } from "./config-schema.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of configuration files, with the parameters of every kind of provider. */
export function configJsonSchema(adapters: readonly AnyProviderAdapter[]): JsonSchema {
  const [first, ...others] = adapters.map((adapter) =>
    z
      .strictObject({
        id: providerIdSchema.describe("The name of the provider; unique."),
        kind: z.literal(adapter.kind).describe("The kind of its backend."),
        priority: z
          .int()
          .min(-1_000_000)
          .max(1_000_000)
          .describe("The healthy provider of highest priority is active."),
        params: adapter.params.describe(`The parameters of a provider of kind "${adapter.kind}".`),
      })
      .describe(`A provider of kind "${adapter.kind}".`),
  );
  const provider = first === undefined ? z.never() : z.discriminatedUnion("kind", [first, ...others]);
  return toJsonSchema(createConfigSchema(provider), "Holdfast configuration");
}

/** The JSON Schema of the topology files that providers of kind `file` read. */
export function topologyJsonSchema(): JsonSchema {
  return toJsonSchema(topologyFileSchema, "Holdfast topology");
}

function toJsonSchema(schema: z.ZodType, title: string): JsonSchema {
  // A part with a check that JSON Schema cannot express accepts anything: editors offer completion, `holdfast validate`
  // does the check.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { $schema, title, ...rest };
}
