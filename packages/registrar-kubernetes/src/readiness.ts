/** What the HTTP server of this process answers to the readiness probe of the kubelet. */
export interface Readiness {
  readonly isReady: boolean;
  /** The HTTP status: 200 while it is announced, otherwise 503. */
  readonly status: 200 | 503;
  /** One word for people: `starting`, `ready`, `draining` or `left`. */
  readonly text: ReadinessState;
}

export type ReadinessState = "starting" | "ready" | "draining" | "left";

/** A readiness that the registration changes. */
export class MutableReadiness implements Readiness {
  text: ReadinessState = "starting";

  get isReady(): boolean {
    return this.text === "ready";
  }

  get status(): 200 | 503 {
    return this.isReady ? 200 : 503;
  }
}
