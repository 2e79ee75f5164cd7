import type { ErrorCode, ProviderAdapter, ProviderDescriptorInput } from "@holdfast/core";
import * as z from "zod";
import { BACKENDS, type BackendId, type ProviderSpec } from "../script/script.ts";
import type { SimBackend } from "./sim-backend.ts";
import type { SimParams } from "./sim-params.ts";
import { SimProvider } from "./sim-provider.ts";

export interface SimAdapterOptions {
  readonly backends: ReadonlyMap<BackendId, SimBackend>;
  readonly lateSnapshotMs: number;
  readonly nextMoment: () => number;
  readonly onCreate: (provider: SimProvider) => void;
  readonly onTrouble: (provider: SimProvider, code: ErrorCode, hadDelivered: boolean) => void;
}

const KIND = "simulated";

export function createSimAdapter(options: SimAdapterOptions): ProviderAdapter<SimParams> {
  return {
    kind: KIND,
    params: z.strictObject({ variant: z.int(), canWatch: z.boolean().default(true) }),
    create(descriptor, context) {
      const id = BACKENDS.find((known) => known === descriptor.id);
      const backend = id && options.backends.get(id);
      if (backend === undefined) throw new Error(`there is no backend called ${descriptor.id}`);
      const provider = new SimProvider({ ...options, descriptor, context, backend });
      options.onCreate(provider);
      return provider;
    },
  };
}

/** The descriptor that an operator would submit for it, including its flaw. */
export function toDescriptor({ id, priority, variant, flaw }: ProviderSpec): ProviderDescriptorInput {
  const params = { variant };
  switch (flaw) {
    case "blind":
      return { id, kind: KIND, priority, params: { ...params, canWatch: false } };
    case "unknownKind":
      return { id, kind: "nowhere", priority, params };
    case "missingField":
      return { id, kind: KIND, priority, params: {} };
    case "literalSecret":
      return { id, kind: KIND, priority, params: { ...params, password: "hunter2" } };
    default:
      return { id, kind: KIND, priority, params };
  }
}
