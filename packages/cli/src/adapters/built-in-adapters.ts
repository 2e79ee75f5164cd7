import type { AnyProviderAdapter } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { file } from "@holdfast/provider-file";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { memory } from "@holdfast/provider-memory";

/** The adapters that are built into the command. Relative paths in their parameters start from `baseDir`. */
export function createBuiltInAdapters(baseDir: string): readonly AnyProviderAdapter[] {
  return [
    consul.createAdapter(),
    file.createAdapter({ baseDir }),
    kubernetes.createAdapter(),
    memory.createAdapter(),
  ];
}
