import type { ClusterProvider, ProbeOptions, ProviderAdapter, ProviderDescriptor } from "@holdfast/core";
import { secretReferenceSchema, type SecretReference } from "@holdfast/core/adapter";
import * as z from "zod";

export interface ScriptedParams {
  readonly path: string;
  readonly pollMs: number;
  readonly token?: SecretReference | undefined;
}

/** A provider that counts its probes and disposals. */
export class ScriptedProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<ScriptedParams>;
  capabilities: { watch: boolean } = { watch: true };
  probes = 0;
  disposals = 0;
  onProbe: (options: ProbeOptions) => Promise<void> = () => Promise.resolve();
  onDispose: () => Promise<void> = () => Promise.resolve();

  constructor(descriptor: ProviderDescriptor<ScriptedParams>) {
    this.descriptor = descriptor;
  }

  probe(options: ProbeOptions): Promise<void> {
    this.probes++;
    return this.onProbe(options);
  }

  // oxlint-disable-next-line require-yield -- the registry never watches
  async *watch(): AsyncGenerator<never> {
    throw new Error("the registry never watches");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++;
    return this.onDispose();
  }
}

export interface ScriptedAdapter extends ProviderAdapter<ScriptedParams> {
  /** Every instance ever created, in order. */
  readonly created: readonly ScriptedProvider[];
}

/** An adapter of kind `scripted`. `script` is called with each new instance before it is used. */
export function createScriptedAdapter(
  script: (provider: ScriptedProvider) => void = () => {},
): ScriptedAdapter {
  const created: ScriptedProvider[] = [];
  return {
    kind: "scripted",
    params: z.strictObject({
      path: z.string().min(1),
      pollMs: z.int().min(1).default(1_000),
      token: secretReferenceSchema.optional(),
    }),
    created,
    create(descriptor) {
      const provider = new ScriptedProvider(descriptor);
      created.push(provider);
      script(provider);
      return provider;
    },
  };
}
