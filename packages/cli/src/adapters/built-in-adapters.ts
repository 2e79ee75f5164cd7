import { holdfast } from "@holdfast/client/node";
import type { AdapterOptions, AnyProviderAdapter } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { file, folder } from "@holdfast/provider-file";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { memory } from "@holdfast/provider-memory";

/** The adapters that are built into the command. */
export function createBuiltInAdapters(options: AdapterOptions): readonly AnyProviderAdapter[] {
  return [consul, file, folder, holdfast, kubernetes, memory].map(({ createAdapter }) =>
    createAdapter(options),
  );
}
