import type { AnyProviderAdapter } from "@holdfast/core";
import { topologyFileSchema } from "@holdfast/provider-file";
import * as z from "zod";
import { createConfigSchema } from "../config-schema.ts";
import type { Backends } from "../topologies/backends.ts";
import { describeKind } from "./kind-params.ts";
import { backendForms, providerForms, sourceForms, type FormOptions } from "./provider-forms.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of configuration files, with the parameters of every kind of provider. With the backends of a file, an
 * entry with a backend has the parameters of its kind; without them, those of any kind.
 */
export function configJsonSchema(
  adapters: readonly AnyProviderAdapter[],
  backends: Backends = new Map(),
): JsonSchema {
  const config = createConfigSchema({
    provider: refTo("provider"),
    template: refTo("template"),
    backend: refTo("backend"),
    source: refTo("source"),
  });
  const kinds = adapters.map(describeKind);
  const forms: FormOptions = { kinds, backends };
  const { $defs, ...schema } = toJsonSchema(config, "Holdfast configuration");
  return {
    ...schema,
    $defs: {
      ...Object.assign({}, $defs, ...kinds.map(({ definitions }) => definitions)),
      provider: { anyOf: providerForms(forms) },
      template: { anyOf: providerForms({ ...forms, isTemplate: true }) },
      backend: { anyOf: backendForms(forms) },
      source: { anyOf: sourceForms(forms) },
    },
  };
}

/** A part that the document defines under a name. */
function refTo(name: string): z.ZodType {
  return z.unknown().meta({ $ref: `#/$defs/${name}` });
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
