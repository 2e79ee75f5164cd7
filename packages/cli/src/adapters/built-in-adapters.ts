import type { AnyProviderAdapter } from "@holdfast/core";
import { createConsulAdapter } from "@holdfast/provider-consul";
import { createFileAdapter } from "@holdfast/provider-file";
import { createKubernetesAdapter } from "@holdfast/provider-kubernetes";
import { createMemoryAdapter } from "@holdfast/provider-memory";

/** The kinds of provider that the command knows. Relative paths in their parameters start from `baseDir`. */
export function createBuiltInAdapters(baseDir: string): readonly AnyProviderAdapter[] {
  return [
    createConsulAdapter(),
    createFileAdapter({ baseDir }),
    createKubernetesAdapter(),
    createMemoryAdapter(),
  ];
}
