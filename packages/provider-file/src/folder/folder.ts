import { resolve } from "node:path";
import { defineAdapter, type DefinedAdapter } from "@holdfast/core/adapter";
import { folderParamsSchema, type FolderParams, type FolderSettings } from "./folder-params.ts";
import { watchFolder } from "./watch-folder.ts";

/**
 * A provider that reports the members listed in the `.json` files of a folder, and watches them: `folder({ path: "orders" })`.
 * Processes write such files with `@holdfast/registrar-file`. For a configuration that names the kind `folder`,
 * `folder.createAdapter({ baseDir })` returns the adapter.
 */
export const folder: DefinedAdapter<FolderSettings, FolderParams> = defineAdapter({
  kind: "folder",
  params: folderParamsSchema,
  open(environment) {
    const { descriptor, baseDir = "." } = environment;
    const path = resolve(baseDir, descriptor.params.path);
    const watch = ({ signal }: { readonly signal: AbortSignal }) =>
      watchFolder({ descriptor, context: environment, path, signal });
    return {
      watch,
      /** Reads and checks every file. */
      async probe(options) {
        for await (const _ of watch(options)) return;
      },
    };
  },
});
