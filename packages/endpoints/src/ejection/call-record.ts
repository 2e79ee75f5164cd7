import type { Endpoint } from "../endpoint.ts";
import type { Target } from "../picking/target.ts";
import { CallWindow } from "./call-window.ts";
import { NEVER_EJECTED, type EjectionPhase } from "./ejection-phase.ts";

/** What this client knows about the calls to one member. */
export class CallRecord implements Target {
  endpoint: Endpoint;
  inFlight = 0;
  /** The member has left, or another process has its id. */
  isGone = false;
  consecutiveFailures = 0;
  phase: EjectionPhase = NEVER_EJECTED;
  /** Number of changes between used, ejected and probed. A call that began in an earlier round does not decide about this one. */
  round = 0;
  /** Calls of this round that probe the member and are not done. */
  probes = 0;
  /** When the last of them began; monotonic milliseconds. */
  probedAt = 0;
  #window: CallWindow | undefined;
  readonly #windowMs: number;

  constructor(endpoint: Endpoint, windowMs: number) {
    this.endpoint = endpoint;
    this.#windowMs = windowMs;
  }

  /** Created at the first report, because most members of a large set get no call. */
  get window(): CallWindow {
    return (this.#window ??= new CallWindow(this.#windowMs));
  }

  /** Begins a new round, with no calls counted. */
  enter(phase: EjectionPhase): void {
    this.phase = phase;
    this.round++;
    this.probes = 0;
    this.#window?.clear();
  }
}
