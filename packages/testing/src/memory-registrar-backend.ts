import {
  ProvisioningError,
  untilAborted,
  type ClusterNode,
  type Clock,
  type Registrar,
} from "@holdfast/core";
import { defineRegistrar, type OpenRegistration } from "@holdfast/core/adapter";
import * as z from "zod";

export interface MemoryRegistrarBackendOptions {
  readonly clock: Clock;
  /** How long an entry stays listed without a beat, in milliseconds. @defaultValue 3000 */
  readonly ttlMs?: number | undefined;
}

interface Entry {
  readonly node: ClusterNode;
  /** The registration that wrote the entry. */
  readonly owner: object;
  readonly isDraining: boolean;
  readonly expiresAt: number;
}

/** A call that reached the backend. */
export interface RegistrarCall {
  readonly name: "register" | "beat" | "drain" | "leave";
  readonly id: string;
  /** The monotonic time of the call. */
  readonly at: number;
}

/**
 * A backend in memory in which processes announce themselves: the reference for authors of registrars, and a double for
 * tests of code that calls `announce`.
 */
export class MemoryRegistrarBackend {
  /** `broken`: every call is refused. `hanging`: no call returns before its signal aborts. */
  state: "working" | "broken" | "hanging" = "working";
  /** The registrar of this backend. */
  readonly registrar: Registrar;
  /** Every call, in order. */
  readonly calls: RegistrarCall[] = [];
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #entries = new Map<string, Entry>();
  #open = 0;

  constructor({ clock, ttlMs = 3_000 }: MemoryRegistrarBackendOptions) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.registrar = defineRegistrar({
      kind: "memory",
      params: z.strictObject({}),
      open: ({ self }) => this.#openRegistration(self),
    })({});
  }

  /** The members that are listed now, sorted by id. */
  get members(): readonly ClusterNode[] {
    const listed = [...this.#entries.values()].filter((entry) => !entry.isDraining && this.#isAlive(entry));
    return listed.map(({ node }) => node).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Number of registrations that were opened and not disposed of. */
  get openRegistrations(): number {
    return this.#open;
  }

  /** Forgets every entry, as a backend that is restarted without its data. */
  loseData(): void {
    this.#entries.clear();
  }

  #openRegistration(self: ClusterNode): OpenRegistration {
    const owner = {};
    const { id } = self;
    this.#open++;
    const keep = (isDraining: boolean) => {
      const expiresAt = this.#clock.monotonic() + this.#ttlMs;
      this.#entries.set(id, { node: self, owner, isDraining, expiresAt });
    };
    const ownEntry = (): Entry => {
      const entry = this.#entries.get(id);
      if (entry?.owner === owner) return entry;
      throw new ProvisioningError("LIFECYCLE_REGISTRATION_LOST", `the backend has no entry of "${id}"`);
    };
    const call = async (name: RegistrarCall["name"], signal: AbortSignal, work: () => void) => {
      this.calls.push({ name, id, at: this.#clock.monotonic() });
      if (this.state === "hanging") await untilAborted(Promise.withResolvers<never>().promise, signal);
      if (this.state === "broken")
        throw new ProvisioningError("CONNECTIVITY_REFUSED", "the backend is broken on request");
      work();
    };
    return {
      beatMs: this.#ttlMs / 3,
      ttlMs: this.#ttlMs,
      register: ({ signal }) =>
        call("register", signal, () => {
          const entry = this.#entries.get(id);
          if (entry !== undefined && entry.owner !== owner && this.#isAlive(entry))
            throw new ProvisioningError("VALIDATION_DUPLICATE_ID", `"${id}" is the id of another process`);
          keep(false);
        }),
      beat: ({ signal }) => call("beat", signal, () => keep(ownEntry().isDraining)),
      drain: ({ signal }) =>
        call("drain", signal, () => {
          ownEntry();
          keep(true);
        }),
      leave: ({ signal }) =>
        call("leave", signal, () => {
          if (this.#entries.get(id)?.owner === owner) this.#entries.delete(id);
        }),
      close: () => void this.#open--,
    };
  }

  #isAlive({ expiresAt }: Entry): boolean {
    return this.#clock.monotonic() < expiresAt;
  }
}
