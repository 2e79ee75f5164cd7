import type { Sample, RunSummary, View } from "./sample.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** The requests that the parent sends to the service's process, with the parameters and the result of each. */
export interface ServiceRequests {
  readonly start: { readonly params: ServiceSetup; readonly result: null };
  readonly sample: { readonly params: null; readonly result: Sample };
  /** Restores the member that was isolated last. With `true`, isolates another one. */
  readonly isolate: { readonly params: boolean; readonly result: null };
  readonly view: { readonly params: null; readonly result: View };
  readonly summary: { readonly params: null; readonly result: RunSummary };
  /** Stops the service; the process must then end without a signal. */
  readonly stop: { readonly params: null; readonly result: readonly string[] };
  /** What keeps the process running after `stop`: counts by kind. */
  readonly remains: { readonly params: null; readonly result: Readonly<Record<string, number>> };
}

export type ServiceRequest = {
  readonly [K in keyof ServiceRequests]: {
    readonly id: number;
    readonly kind: K;
    readonly params: ServiceRequests[K]["params"];
  };
}[keyof ServiceRequests];

export type ServiceResponse =
  | { readonly id: number; readonly result: ServiceRequests[keyof ServiceRequests]["result"] }
  | { readonly id: number; readonly error: string };
