import type { Registrar } from "@holdfast/core";
import { defineRegistrar } from "@holdfast/core/adapter";
import {
  kubernetesRegistrarParamsSchema,
  type KubernetesRegistrarParams,
} from "./kubernetes-registrar-params.ts";
import { KubernetesRegistration } from "./kubernetes-registration.ts";
import { podEnvironment, type PodEnvironment } from "./pod-environment.ts";
import { MutableReadiness, type Readiness } from "./readiness.ts";

/** A registrar whose readiness the HTTP server of this process reports to the kubelet. */
export interface KubernetesRegistrar extends Registrar {
  readonly readiness: Readiness;
}

/** Announces this process in Kubernetes: `kubernetesRegistrar()`. Answer the readiness probe with `readiness`. */
export function kubernetesRegistrar(params: KubernetesRegistrarParams = {}): KubernetesRegistrar {
  return createKubernetesRegistrar(params, podEnvironment);
}

/** The same, with an environment of a test. */
export function createKubernetesRegistrar(
  params: KubernetesRegistrarParams,
  environment: PodEnvironment,
): KubernetesRegistrar {
  const readiness = new MutableReadiness();
  const define = defineRegistrar({
    kind: "kubernetes",
    params: kubernetesRegistrarParamsSchema,
    open: (opened) => new KubernetesRegistration(opened, readiness, environment),
  });
  return { ...define(params), readiness };
}
