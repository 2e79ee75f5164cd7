import type { ClusterNode } from "../../model/cluster-node.ts";
import type { Clock } from "../../time/clock.ts";
import type { Registration } from "./registration.ts";

/** The environment of one registration. */
export interface RegistrarContext {
  readonly clock: Clock;
}

/** Announces this process in one kind of backend. It is a description: it holds no connection and no timer. */
export interface Registrar {
  /** The kind of backend, for example `consul`. */
  readonly kind: string;
  /**
   * Creates the registration of one member, without I/O. Throws `VALIDATION_MALFORMED`, with every problem, when the
   * backend cannot hold the member as it is.
   */
  open(self: ClusterNode, context: RegistrarContext): Registration;
}
