import {
  createClusterNode,
  MemberSet,
  ProvisioningError,
  type Clock,
  type ClusterNode,
} from "@holdfast/core";
import type { BackendBlow, BackendId, BackendMood, Setting } from "../script/script.ts";
import { revisionOf, type BackendAnswer } from "./backend-answer.ts";

const LATE_MS = 60_000;
const SILENT: ReadonlySet<BackendMood> = new Set(["hanging", "deaf", "stalling"]);

/** A connection that is open, as the backend sees it. */
export interface BackendConnection {
  /** Sends an answer, `lateMs` after it was true. */
  tell(answer: BackendAnswer, lateMs?: number): void;
  beat(): void;
  /** The backend's mood has changed. */
  onMood(): void;
  end(): void;
  fail(error: unknown): void;
}

/** A discovery backend, which outlives the service: its content, its version, and how it behaves to whoever connects. */
export class SimBackend {
  readonly id: BackendId;
  readonly clock: Clock;
  /** Every answer it ever had to give: revision to members. */
  readonly ledger: Map<string, MemberSet> = new Map();
  readonly connections: Set<BackendConnection> = new Set();
  mood: BackendMood = "well";
  latencyMs = 0;
  readonly #marks: Setting["marks"];
  #answer: BackendAnswer;
  #previous: BackendAnswer;

  constructor(id: BackendId, clock: Clock, marks: Setting["marks"]) {
    this.id = id;
    this.clock = clock;
    this.#marks = marks;
    this.#answer = this.#previous = { incarnation: 1, index: 0, members: MemberSet.empty, skipped: 0 };
    this.ledger.set(revisionOf(this.#answer), MemberSet.empty);
    this.setMembers(["a", "b", "c"], 0);
  }

  get answer(): BackendAnswer {
    return this.#answer;
  }

  get revision(): string {
    return revisionOf(this.#answer);
  }

  get isSilent(): boolean {
    return SILENT.has(this.mood);
  }

  setMembers(nodes: readonly string[], skipped: number): void {
    const byId = new Map(nodes.map((node) => [node.charAt(0), this.#toNode(node)]));
    const members = this.#answer.members.replace([...byId.values()]);
    this.#become({ ...this.#answer, index: this.#answer.index + 1, members, skipped });
    for (const connection of this.connections) connection.tell(this.#answer);
  }

  setMood(mood: BackendMood): void {
    this.mood = mood;
    for (const connection of this.connections) connection.onMood();
  }

  strike(blow: BackendBlow): void {
    if (blow === "rollback" || blow === "restart") {
      const { members, skipped } = blow === "restart" ? this.#answer : this.#previous;
      this.#become({ incarnation: this.#answer.incarnation + 1, index: 1, members, skipped });
      // Nothing of an earlier life is still on its way.
      this.#previous = this.#answer;
    }
    for (const connection of this.connections) this.#strike(blow, connection);
  }

  /** Throws when it lets nobody in. */
  assertOpen(): void {
    const message = `the backend "${this.id}" is ${this.mood}`;
    switch (this.mood) {
      case "refusing":
        throw new ProvisioningError("CONNECTIVITY_REFUSED", message);
      case "forbidding":
        throw new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", message);
      case "overloaded":
        throw new ProvisioningError("CONNECTIVITY_OVERLOADED", message, { details: { retryAfterMs: 3_000 } });
      case "foreign":
        throw new TypeError(message);
      default:
    }
  }

  #strike(blow: BackendBlow, connection: BackendConnection): void {
    switch (blow) {
      case "break":
        return connection.fail(new ProvisioningError("STREAM_FAILED", "the connection broke"));
      case "restart":
        return connection.fail(new ProvisioningError("STREAM_FAILED", "the backend restarted"));
      case "shatter":
        return connection.fail(new TypeError("the client of the backend is confused"));
      case "end":
        return connection.end();
      case "heartbeat":
        return connection.beat();
      case "repeat":
      case "rollback":
        return connection.tell(this.#answer);
      case "reorder":
        return connection.tell(this.#previous);
      case "late":
        return connection.tell(this.#answer, LATE_MS);
    }
  }

  #become(answer: BackendAnswer): void {
    this.#previous = this.#answer;
    this.#answer = answer;
    this.ledger.set(revisionOf(answer), answer.members);
  }

  #toNode(name: string): ClusterNode {
    const id = name.charAt(0);
    const isMarked = this.#marks === "host";
    return createClusterNode({
      id,
      host: isMarked ? `${id}.${this.id}.local` : `${id}.local`,
      port: 4_000 + Number(name.slice(1) || 0),
      ...(this.#marks === "metadata" && { metadata: { seenBy: this.id } }),
    });
  }
}
