import { resolve } from "node:path";
import type { ProviderAdapter } from "@holdfast/core";
import { fileParamsSchema, type FileProviderParams } from "./file-params.ts";
import { FileProvider } from "./file-provider.ts";

export interface FileAdapterOptions {
  /**
   * The folder that relative paths in descriptors start from.
   * @defaultValue the current folder of the process, when a provider is created
   */
  readonly baseDir?: string | undefined;
}

/** The adapter of kind `file`: its providers report what a JSON or YAML file says, and watch it. */
export function createFileAdapter(options: FileAdapterOptions = {}): ProviderAdapter<FileProviderParams> {
  return {
    kind: "file",
    params: fileParamsSchema,
    create: (descriptor, context) =>
      new FileProvider(descriptor, context, resolve(options.baseDir ?? ".", descriptor.params.path)),
  };
}
