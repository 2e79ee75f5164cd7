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

/** The provider that opened a connection, as far as the connection needs it. */
export interface ConnectionOwner {
  readonly heartbeatMs: number;
  readonly lateSnapshotMs: number;
  /** The revision of every answer that the provider has given. */
  readonly revisions: string[];
  /** A watch broke. `hadDelivered`: it had given an answer before. */
  suffer(code: ErrorCode, hadDelivered: boolean): void;
  /** An answer came late. */
  ail(): void;
  /** An answer or a heartbeat has come. */
  confirm(): void;
}

/**
 * One watch on a backend: what a correct adapter makes of what comes over the wire, in the wire's order. An answer that is
 * older than the last one is thrown as `STREAM_INDEX_ROLLBACK`.
 */
export class Connection implements BackendConnection {
  readonly events: EventChannel<SourceEvent>;
  readonly signal: AbortSignal;
  /** Of the last answer handed on. */
  revision: string | undefined;
  /** Monotonic, of the last sign of life. */
  heardAt: number;
  /** The last answer handed on came late, and nothing has come since. */
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
  /** When the last answer on its way arrives. */
  #arrivalAt = Number.NEGATIVE_INFINITY;
  #underway = 0;

  /** `signal` ends it; `outer` is the one the service gave. */
  constructor(backend: SimBackend, owner: ConnectionOwner, signal: AbortSignal, outer: AbortSignal) {
    this.#backend = backend;
    this.#owner = owner;
    this.signal = outer;
    this.heardAt = this.#openedAt = backend.clock.monotonic();
    // It is closed below: a deaf client heeds no signal.
    this.events = new EventChannel(new AbortController().signal);
    this.#isDeaf = backend.mood === "deaf";
    this.#abort = whenAborted(signal, () => this.#onAbort());
    backend.connections.add(this);
    if (backend.mood === "flapping") this.#after(FLAP_MS, () => this.#endQuietly());
    this.onMood();
  }

  /** An answer sets off, and arrives after the backend's latency, behind those sent before. */
  tell(answer: BackendAnswer, lateMs = 0): void {
    const { clock, latencyMs } = this.#backend;
    if (this.isClosed || this.#isMute) return;
    const sentAt = clock.now() - lateMs;
    const arrivesAt = Math.max(clock.monotonic() + latencyMs, this.#arrivalAt);
    this.#arrivalAt = arrivesAt;
    const delayMs = arrivesAt - clock.monotonic();
    if (delayMs <= 0 && this.#underway === 0) return this.#arrive(answer, sentAt);
    this.#underway++;
    this.#after(delayMs, () => {
      this.#underway--;
      this.#arrive(answer, sentAt);
    });
  }

  beat(): void {
    const { isSilent } = this.#backend;
    // A heartbeat says that the last answer still holds: not so while a newer one is on its way.
    if (this.isClosed || isSilent || this.#underway > 0) return;
    this.#push({ type: "heartbeat" });
  }

  onMood(): void {
    const { isSilent, mood, answer } = this.#backend;
    if (this.isClosed) return;
    if (isSilent && this.revision !== undefined) return this.#silence();
    if (mood === "owing") return this.beat();
    this.tell(answer);
  }

  end(): void {
    if (this.isClosed) return;
    this.events.push({ type: "ended" });
    this.#endQuietly();
  }

  fail(error: unknown): void {
    if (this.isClosed) return;
    const code = isProvisioningError(error) ? error.code : "STREAM_FAILED";
    this.#suffer(code);
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
    this.#suffer("STREAM_ENDED");
    this.close();
  }

  /** What happens to a deaf connection that was given up is nobody's concern. */
  #suffer(code: ErrorCode): void {
    if (!this.signal.aborted) this.#owner.suffer(code, this.revision !== undefined);
  }

  #onAbort(): void {
    const reason: unknown = this.signal.reason;
    const isSilence = isProvisioningError(reason) && reason.code === "STREAM_SILENT";
    if (isSilence) this.#owner.suffer("STREAM_SILENT", this.revision !== undefined);
    if (!this.#isDeaf) this.close();
  }

  #arrive(answer: BackendAnswer, sentAt: number): void {
    const { mood, clock } = this.#backend;
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
      ...(mood === "lagging" && { stalenessMs: STALENESS_MS }),
      ...(skipped > 0 && { skipped: { count: skipped, reasons: ["a broken entry"] } }),
    });
    const ageMs = Math.max(clock.now() - sentAt, 0) + (snapshot.stalenessMs ?? 0);
    if (ageMs > this.#owner.lateSnapshotMs && !this.signal.aborted) this.#owner.ail();
    this.#push({ type: "snapshot", snapshot });
    this.isLate = ageMs > this.#owner.lateSnapshotMs;
    if (mood === "stalling") this.#silence();
    else if (mood === "breaking") this.fail(new ProvisioningError("STREAM_FAILED", "the backend breaks off"));
    else if (mood === "ending") this.end();
  }

  /** No answer gets through. One that stalls still gives its first. */
  get #isMute(): boolean {
    const { isSilent, mood } = this.#backend;
    return mood === "owing" || (isSilent && !(mood === "stalling" && this.revision === undefined));
  }

  #isRollback({ index }: BackendAnswer): boolean {
    return this.#index !== undefined && index < this.#index;
  }

  #push(event: SourceEvent): void {
    const { clock } = this.#backend;
    this.heardAt = clock.monotonic();
    if (this.signal.aborted) return;
    if (this.revision !== undefined) this.#owner.confirm();
    else if (clock.monotonic() - this.#openedAt > this.#owner.lateSnapshotMs) this.#owner.ail();
    this.isLate = false;
    this.events.push(event);
    this.#silence();
    this.#heartbeat = clock.schedule(this.#owner.heartbeatMs, () => this.beat());
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
