import {
  createClusterNode,
  MemberSet,
  ProvisioningError,
  type Clock,
  type ClusterNode,
} from "@holdfast/core";
import type { BackendIncident, BackendId, BackendBehaviour, Setting } from "../script/script.ts";
import { revisionOf, type BackendAnswer } from "./backend-answer.ts";

const LATE_MS = 60_000;
const SILENT: ReadonlySet<BackendBehaviour> = new Set(["hanging", "deaf", "stalling"]);

/** An open connection, from the backend's point of view. */
export interface BackendConnection {
  /** Sends a response, `lateMs` after it was current. */
  send(answer: BackendAnswer, lateMs?: number): void;
  sendHeartbeat(): void;
  /** Called when the backend's behaviour has changed. */
  onBehaviourChange(): void;
  end(): void;
  fail(error: unknown): void;
}

/**
 * A discovery backend, which exists longer than the service: its content, its version, and its behaviour towards
 * clients.
 */
export class SimBackend {
  readonly id: BackendId;
  readonly clock: Clock;
  /** Every response it ever had: revision to members. */
  readonly ledger: Map<string, MemberSet> = new Map();
  readonly connections: Set<BackendConnection> = new Set();
  behaviour: BackendBehaviour = "well";
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
    return SILENT.has(this.behaviour);
  }

  setMembers(nodes: readonly string[], skipped: number): void {
    const byId = new Map(nodes.map((node) => [node.charAt(0), this.#toNode(node)]));
    const members = this.#answer.members.replace([...byId.values()]);
    this.#become({ ...this.#answer, index: this.#answer.index + 1, members, skipped });
    for (const connection of this.connections) connection.send(this.#answer);
  }

  setBehaviour(behaviour: BackendBehaviour): void {
    this.behaviour = behaviour;
    for (const connection of this.connections) connection.onBehaviourChange();
  }

  cause(incident: BackendIncident): void {
    if (incident === "rollback" || incident === "restart") {
      const { members, skipped } = incident === "restart" ? this.#answer : this.#previous;
      this.#become({ incarnation: this.#answer.incarnation + 1, index: 1, members, skipped });
      // Nothing from before the restart is in transit any more.
      this.#previous = this.#answer;
    }
    for (const connection of this.connections) this.#cause(incident, connection);
  }

  /** Throws when it refuses connections. */
  assertOpen(): void {
    const message = `the backend "${this.id}" is ${this.behaviour}`;
    switch (this.behaviour) {
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

  #cause(incident: BackendIncident, connection: BackendConnection): void {
    switch (incident) {
      case "break":
        return connection.fail(new ProvisioningError("STREAM_FAILED", "the connection failed"));
      case "restart":
        return connection.fail(new ProvisioningError("STREAM_FAILED", "the backend restarted"));
      case "shatter":
        return connection.fail(new TypeError("an unexpected error of the client"));
      case "end":
        return connection.end();
      case "heartbeat":
        return connection.sendHeartbeat();
      case "repeat":
      case "rollback":
        return connection.send(this.#answer);
      case "reorder":
        return connection.send(this.#previous);
      case "late":
        return connection.send(this.#answer, LATE_MS);
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
