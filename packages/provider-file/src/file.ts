import { resolve } from "node:path";
import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import { fileParamsSchema, type FileParams, type FileSettings } from "./file-params.ts";
import { watchTopology } from "./watch-topology.ts";

/**
 * A provider that reports the members listed in a JSON or YAML file, and watches it: `file({ path: "orders.yaml" })`.
 * For a configuration that names the kind `file`, `file.createAdapter({ baseDir })` returns the adapter.
 */
export const file: DefinedAdapter<FileSettings, FileParams> = defineAdapter({
  kind: "file",
  params: fileParamsSchema,
  open(environment) {
    const { descriptor, baseDir = "." } = environment;
    const path = resolve(baseDir, descriptor.params.path);
    const watch = ({ signal }: { readonly signal: AbortSignal }) =>
      watchTopology({ descriptor, context: environment, path, signal });
    return {
      watch,
      /** Reads and checks the whole file. */
      async probe(options) {
        for await (const _ of watch(options)) return;
      },
    };
  },
});
