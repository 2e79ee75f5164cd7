import { ProvisioningError } from "@holdfast/core";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { loadAdapters } from "../adapters/load-adapters.ts";
import {
  configJsonSchema,
  topologyJsonSchema,
  type JsonSchema,
} from "../config/json-schema/config-json-schema.ts";
import { placeProblems, toConfigError } from "../config/config-problem.ts";
import { readConfig } from "../config/read-config.ts";
import { readOutline } from "../config/topologies/outline.ts";
import type { CommandContext } from "./command-context.ts";

export type SchemaSubject = "config" | "topology";

export interface SchemaOptions {
  /** A configuration whose adapters are included in the schema. It may have other problems. */
  readonly config?: string | undefined;
  /** False: no module that the configuration names is loaded, and the schema includes only the built-in kinds. */
  readonly adapters: boolean;
}

/**
 * Prints a JSON Schema, in the form in which it is stored next to files that refer to it. Throws `VALIDATION_*` when
 * the configuration cannot be read or one of its adapters cannot be loaded.
 */
export async function schema(
  subject: SchemaSubject,
  { config, adapters }: SchemaOptions,
  { out, terminal }: CommandContext,
): Promise<void> {
  if (subject === "topology" && config !== undefined) {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      "the schema of topology files does not depend on a configuration: leave --config out",
    );
  }
  const document =
    subject === "topology"
      ? topologyJsonSchema()
      : await configSchemaOf(adapters ? config : undefined, terminal.cwd);
  await out.write(JSON.stringify(document, undefined, 2));
}

async function configSchemaOf(name: string | undefined, cwd: string): Promise<JsonSchema> {
  if (name === undefined) return configJsonSchema(createBuiltInAdapters({}));
  const { file, folder, source, input } = await readConfig(name, cwd);
  const { adapters, problems } = await loadAdapters(input, folder);
  if (problems.length === 0) return configJsonSchema(adapters, readOutline(input).backends);
  throw toConfigError(file, placeProblems(problems, source));
}
