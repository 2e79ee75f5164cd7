import type { Sample, Story, View } from "./sample.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** What the parent asks of the service's process, and what it answers. */
export interface ServiceOrders {
  readonly start: { readonly asked: ServiceSetup; readonly answer: null };
  readonly sample: { readonly asked: null; readonly answer: Sample };
  /** Restores the member that was isolated last, and isolates another, if told so. */
  readonly isolate: { readonly asked: boolean; readonly answer: null };
  readonly view: { readonly asked: null; readonly answer: View };
  readonly story: { readonly asked: null; readonly answer: Story };
  /** Ends the service; the process then has to end by itself. */
  readonly stop: { readonly asked: null; readonly answer: readonly string[] };
  /** What keeps a process that should have ended: kind → how many. */
  readonly remains: { readonly asked: null; readonly answer: Readonly<Record<string, number>> };
}

export type ServiceOrder = {
  readonly [K in keyof ServiceOrders]: {
    readonly id: number;
    readonly kind: K;
    readonly asked: ServiceOrders[K]["asked"];
  };
}[keyof ServiceOrders];

export type ServiceAnswer =
  | { readonly id: number; readonly answer: ServiceOrders[keyof ServiceOrders]["answer"] }
  | { readonly id: number; readonly error: string };
