import { fail, ok, strictEqual } from "node:assert/strict";
import {
  createClusterNode,
  isProvisioningError,
  isSameNode,
  type ClusterNodeInput,
  type ProvisioningError,
  type Registration,
} from "@holdfast/core";
import type { RegistrarAbility, RegistrarHarness, RegistrarSetup } from "./registrar-harness.ts";

/** Registers a test that needs certain abilities of the harness. */
export type DefineRegistrarTest = (
  name: string,
  needs: readonly RegistrarAbility[],
  body: (trial: RegistrarTrial) => Promise<void>,
) => void;

/** The calls of a registration, with a signal that never aborts. */
export interface OpenedRegistration {
  readonly registration: Registration;
  readonly register: () => Promise<void>;
  readonly beat: () => Promise<void>;
  readonly drain: () => Promise<void>;
  readonly leave: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const STEP_MS = 20;
/** How long a member that must not be listed is watched, in milliseconds. */
const STAY_MS = 200;

/** The context of one test: a fresh setup, and the waits and assertions that the tests share. */
export class RegistrarTrial {
  readonly setup: RegistrarSetup;
  readonly patienceMs: number;
  readonly #opened: Registration[] = [];
  readonly #never = new AbortController().signal;

  constructor(setup: RegistrarSetup) {
    this.setup = setup;
    this.patienceMs = setup.patienceMs ?? 5_000;
  }

  static async run(harness: RegistrarHarness, body: (trial: RegistrarTrial) => Promise<void>): Promise<void> {
    const trial = new RegistrarTrial(await harness.setup());
    try {
      await body(trial);
    } finally {
      const closing = trial.#opened.map((registration) => registration[Symbol.asyncDispose]());
      // A disposal that does not end fails its own test; here it must not hang the suite.
      await trial.#within(Promise.allSettled(closing)).catch(() => undefined);
      await trial.setup.teardown();
    }
  }

  /** Opens a registration, as another process does. */
  open(node: ClusterNodeInput): OpenedRegistration {
    const { registrar, clock } = this.setup;
    const registration = registrar.open(createClusterNode(node), { clock });
    this.#opened.push(registration);
    const options = { signal: this.#never };
    return {
      registration,
      register: () => this.#within(registration.register(options)),
      beat: () => this.#within(registration.beat(options)),
      drain: () => this.#within(registration.drain(options)),
      leave: () => this.#within(registration.leave(options)),
      dispose: () => this.#within(registration[Symbol.asyncDispose]()),
    };
  }

  /** Opens a registration, registers it, and waits until it is listed. */
  async announced(node: ClusterNodeInput): Promise<OpenedRegistration> {
    const opened = this.open(node);
    await opened.register();
    await this.lists([node]);
    return opened;
  }

  /**
   * Waits until these members are listed, each once, among other members. Compares only id, host and port, so that a
   * registrar that gets other fields wrong fails only the tests of the fields.
   */
  async lists(nodes: readonly ClusterNodeInput[]): Promise<void> {
    await this.#listsEach(
      nodes,
      ({ id, host, port }, listed) => id === listed.id && host === listed.host && port === listed.port,
    );
  }

  /** Waits until these members are listed, each once and with every field that the backend can show. */
  async listsWithEveryField(nodes: readonly ClusterNodeInput[]): Promise<void> {
    const expected = nodes.map((node) => this.setup.asSeen?.(node) ?? node);
    await this.#listsEach(expected, (node, listed) =>
      isSameNode(createClusterNode(node), createClusterNode(listed)),
    );
  }

  /** Waits until the member is not listed. */
  async dropsOut({ id }: ClusterNodeInput): Promise<void> {
    await this.eventually(`a list without ${id}`, (listed) => listed.every((node) => node.id !== id));
  }

  /** Waits until the list fits. */
  async eventually(what: string, fits: (listed: readonly ClusterNodeInput[]) => boolean): Promise<void> {
    let listed: readonly ClusterNodeInput[] = [];
    for (let waited = 0; ; waited += STEP_MS) {
      listed = await this.setup.list();
      if (fits(listed)) return;
      if (waited > this.patienceMs) break;
      await this.setup.time.advance(STEP_MS);
    }
    fail(`expected ${what}, got ${JSON.stringify(listed)}`);
  }

  /** Asserts that the member is not listed now, and that it stays so for a while. */
  async staysOut(node: ClusterNodeInput): Promise<void> {
    for (let waited = 0; waited <= STAY_MS; waited += 50) {
      const listed = await this.setup.list();
      ok(!listed.some(({ id }) => id === node.id), `${node.id} is listed`);
      await this.setup.time.advance(50);
    }
  }

  /** Performs a step of the harness. If it is in `lacks`, the test was skipped before. */
  async drive(step: "loseData" | "breakBackend" | "hangBackend" | "repairBackend"): Promise<void> {
    if (this.setup[step] === undefined) fail(`the harness neither has "${step}" nor lists it in "lacks"`);
    await this.setup[step]();
  }

  countOpen(): number {
    return this.setup.countOpen?.() ?? fail(`the harness neither has "countOpen" nor lists it in "lacks"`);
  }

  /** Waits until no more than `open` resources are open. */
  async closesDownTo(open: number): Promise<void> {
    const { slackMs = 0 } = this.setup.time;
    // Real sockets and files need a moment after the call that closed them.
    for (let waited = 0; this.countOpen() > open && waited < slackMs; waited += 10) {
      await this.setup.time.advance(10);
    }
    await this.setup.time.advance(0);
    strictEqual(Math.max(this.countOpen(), open), open, "resources were left open");
  }

  /** Returns the error that the work rejects with. Anything but a `ProvisioningError` fails the test. */
  async rejection(what: string, work: Promise<unknown>): Promise<ProvisioningError> {
    const error: unknown = await this.#within(
      work.then(
        () => fail(`${what} did not reject`),
        (reason: unknown) => reason,
      ),
    );
    ok(
      isProvisioningError(error),
      `${what} failed with an error that is not a ProvisioningError: ${String(error)}`,
    );
    return error;
  }

  async #listsEach(
    nodes: readonly ClusterNodeInput[],
    isSame: (node: ClusterNodeInput, listed: ClusterNodeInput) => boolean,
  ): Promise<void> {
    await this.eventually(JSON.stringify(nodes), (listed) =>
      nodes.every((node) => {
        const same = listed.filter(({ id }) => id === node.id);
        return same.length === 1 && isSame(node, same[0]!);
      }),
    );
  }

  #within<T>(work: PromiseLike<T>): Promise<T> {
    return this.setup.time.until(work, this.patienceMs);
  }
}
