/** The address of the backend and the service to follow. */
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

/** The id of the member whose port identifies the change. */
export const MARKER = "marker";

export interface Observation {
  readonly members: number;
  /** The port of the marker; undefined while the marker is not a member. */
  readonly port: number | undefined;
}

/** Follows the backend until its process ends. Calls `onSeen` after each change that it receives. */
export type Contender<T extends Target> = (
  target: T,
  onSeen: (observation: Observation) => void,
) => Promise<void> | void;

export const CONTENDERS = ["holdfast", "bare loop", "client library"] as const;
export type ContenderName = (typeof CONTENDERS)[number];
