import type { AnyProviderAdapter } from "@holdfast/core";
import { createFileAdapter } from "@holdfast/provider-file";
import { createMemoryAdapter } from "@holdfast/provider-memory";

/** The kinds of provider that the command knows. Relative paths in their parameters start from `baseDir`. */
export function createBuiltInAdapters(baseDir: string): readonly AnyProviderAdapter[] {
  return [createFileAdapter({ baseDir }), createMemoryAdapter()];
}
