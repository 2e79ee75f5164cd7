/** Where a contender finds its backend. */
export type Target =
  | { readonly backend: "consul"; readonly address: string; readonly service: string }
  | {
      readonly backend: "kubernetes";
      readonly kubeconfig: string;
      readonly namespace: string;
      readonly service: string;
    };

export type ConsulTarget = Extract<Target, { backend: "consul" }>;
export type KubernetesTarget = Extract<Target, { backend: "kubernetes" }>;

/** The member whose port tells which change was seen. */
export const MARKER = "marker";

export interface Sighting {
  readonly members: number;
  /** Of the marker; undefined while it is not there. */
  readonly port: number | undefined;
}

/** Follows the backend until its process ends, and calls with what it knows whenever it knows more. */
export type Contender<T extends Target> = (
  target: T,
  onSeen: (sighting: Sighting) => void,
) => Promise<void> | void;

export const CONTENDERS = ["holdfast", "bare loop", "client library"] as const;
export type ContenderName = (typeof CONTENDERS)[number];
