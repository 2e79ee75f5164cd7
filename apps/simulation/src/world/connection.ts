import {
  createSnapshot,
  EventChannel,
  type ErrorCode,
  isProvisioningError,
  ProvisioningError,
  whenAborted,
  type SourceEvent,
} from "@holdfast/core";
import { revisionOf, type BackendAnswer } from "./backend-answer.ts";
import type { BackendConnection, SimBackend } from "./sim-backend.ts";

const FLAP_MS = 3_000;
const STALENESS_MS = 60_000;

/** The part of the provider that its connections use. */
export interface ConnectionOwner {
  readonly heartbeatMs: number;
  readonly lateSnapshotMs: number;
  /** The revisions of all delivered responses. */
  readonly revisions: string[];
  /** A watch failed. `hadDelivered`: it had delivered a response before. */
  onFailure(code: ErrorCode, hadDelivered: boolean): void;
  /** A response was late. */
  markTroubled(): void;
  /** A response or a heartbeat was delivered. */
  confirm(): void;
}

/**
 * One watch on a backend. Behaves like a correct adapter, in the order of the received messages. A response that is
 * older than the last one is thrown as `STREAM_INDEX_ROLLBACK`.
 */
export class Connection implements BackendConnection {
  readonly events: EventChannel<SourceEvent>;
  readonly signal: AbortSignal;
  /** Revision of the last delivered response. */
  revision: string | undefined;
  /** Monotonic time of the last event. */
  lastEventAt: number;
  /** True when the last delivered response was late and nothing was delivered since. */
  isLate = false;
  isClosed = false;
  readonly #backend: SimBackend;
  readonly #owner: ConnectionOwner;
  readonly #timers = new Set<Disposable>();
  readonly #isDeaf: boolean;
  readonly #abort: Disposable;
  readonly #openedAt: number;
  #heartbeat: Disposable | undefined;
  #index: number | undefined;
  /** When the last response in transit arrives. */
  #arrivalAt = Number.NEGATIVE_INFINITY;
  #inTransit = 0;

  /** `signal` ends the watch; `outer` is the signal that the service passed. */
  constructor(backend: SimBackend, owner: ConnectionOwner, signal: AbortSignal, outer: AbortSignal) {
    this.#backend = backend;
    this.#owner = owner;
    this.signal = outer;
    this.lastEventAt = this.#openedAt = backend.clock.monotonic();
    // Closed below, because a deaf client ignores its signal.
    this.events = new EventChannel(new AbortController().signal);
    this.#isDeaf = backend.behaviour === "deaf";
    this.#abort = whenAborted(signal, () => this.#onAbort());
    backend.connections.add(this);
    if (backend.behaviour === "flapping") this.#after(FLAP_MS, () => this.#endQuietly());
    this.onBehaviourChange();
  }

  /** Sends a response, which arrives after the backend's latency and after earlier ones. */
  send(answer: BackendAnswer, lateMs = 0): void {
    const { clock, latencyMs } = this.#backend;
    if (this.isClosed || this.#isMute) return;
    const sentAt = clock.now() - lateMs;
    const arrivesAt = Math.max(clock.monotonic() + latencyMs, this.#arrivalAt);
    this.#arrivalAt = arrivesAt;
    const delayMs = arrivesAt - clock.monotonic();
    if (delayMs <= 0 && this.#inTransit === 0) return this.#arrive(answer, sentAt);
    this.#inTransit++;
    this.#after(delayMs, () => {
      this.#inTransit--;
      this.#arrive(answer, sentAt);
    });
  }

  sendHeartbeat(): void {
    const { isSilent } = this.#backend;
    // A heartbeat confirms the last response, so it is not sent while a newer one is in transit.
    if (this.isClosed || isSilent || this.#inTransit > 0) return;
    this.#push({ type: "heartbeat" });
  }

  onBehaviourChange(): void {
    const { isSilent, behaviour, answer } = this.#backend;
    if (this.isClosed) return;
    if (isSilent && this.revision !== undefined) return this.#silence();
    if (behaviour === "heartbeatsOnly") return this.sendHeartbeat();
    this.send(answer);
  }

  end(): void {
    if (this.isClosed) return;
    this.events.push({ type: "ended" });
    this.#endQuietly();
  }

  fail(error: unknown): void {
    if (this.isClosed) return;
    const code = isProvisioningError(error) ? error.code : "STREAM_FAILED";
    this.#onFailure(code);
    this.close({ error });
  }

  close(failure?: { readonly error: unknown }): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#abort[Symbol.dispose]();
    this.#silence();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#backend.connections.delete(this);
    this.events.close(failure);
  }

  #endQuietly(): void {
    if (this.isClosed) return;
    this.#onFailure("STREAM_ENDED");
    this.close();
  }

  /** Failures of an abandoned deaf connection do not count. */
  #onFailure(code: ErrorCode): void {
    if (!this.signal.aborted) this.#owner.onFailure(code, this.revision !== undefined);
  }

  #onAbort(): void {
    const reason: unknown = this.signal.reason;
    const isSilence = isProvisioningError(reason) && reason.code === "STREAM_SILENT";
    if (isSilence) this.#owner.onFailure("STREAM_SILENT", this.revision !== undefined);
    if (!this.#isDeaf) this.close();
  }

  #arrive(answer: BackendAnswer, sentAt: number): void {
    const { behaviour, clock } = this.#backend;
    if (this.isClosed || this.#isMute) return;
    if (this.#isRollback(answer)) {
      return this.fail(new ProvisioningError("STREAM_INDEX_ROLLBACK", "the backend's index went backwards"));
    }
    this.#index = answer.index;
    this.revision = revisionOf(answer);
    if (!this.signal.aborted) this.#owner.revisions.push(this.revision);
    const { skipped, members } = answer;
    const snapshot = createSnapshot({
      providerId: this.#backend.id,
      members,
      revision: this.revision,
      observedAt: sentAt,
      ...(behaviour === "lagging" && { stalenessMs: STALENESS_MS }),
      ...(skipped > 0 && { skipped: { count: skipped, reasons: ["a broken entry"] } }),
    });
    const ageMs = Math.max(clock.now() - sentAt, 0) + (snapshot.stalenessMs ?? 0);
    if (ageMs > this.#owner.lateSnapshotMs && !this.signal.aborted) this.#owner.markTroubled();
    this.#push({ type: "snapshot", snapshot });
    this.isLate = ageMs > this.#owner.lateSnapshotMs;
    if (behaviour === "stalling") this.#silence();
    else if (behaviour === "breaking")
      this.fail(new ProvisioningError("STREAM_FAILED", "the backend closed the connection"));
    else if (behaviour === "ending") this.end();
  }

  /** True when no response is delivered. A stalling backend still delivers its first one. */
  get #isMute(): boolean {
    const { isSilent, behaviour } = this.#backend;
    return (
      behaviour === "heartbeatsOnly" ||
      (isSilent && !(behaviour === "stalling" && this.revision === undefined))
    );
  }

  #isRollback({ index }: BackendAnswer): boolean {
    return this.#index !== undefined && index < this.#index;
  }

  #push(event: SourceEvent): void {
    const { clock } = this.#backend;
    this.lastEventAt = clock.monotonic();
    if (this.signal.aborted) return;
    if (this.revision !== undefined) this.#owner.confirm();
    else if (clock.monotonic() - this.#openedAt > this.#owner.lateSnapshotMs) this.#owner.markTroubled();
    this.isLate = false;
    this.events.push(event);
    this.#silence();
    this.#heartbeat = clock.schedule(this.#owner.heartbeatMs, () => this.sendHeartbeat());
  }

  #silence(): void {
    this.#heartbeat?.[Symbol.dispose]();
    this.#heartbeat = undefined;
  }

  #after(delayMs: number, task: () => void): void {
    const timer = this.#backend.clock.schedule(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }
}
