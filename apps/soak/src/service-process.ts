import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createDeadline, ProvisioningError, systemClock, untilAborted } from "@holdfast/core";
import type { Sample, Story, View } from "./sample.ts";
import type { ServiceAnswer, ServiceOrders } from "./service-order.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** An answer that takes longer means that the event loop is stuck. */
const ANSWER_MS = 60_000;
const EXIT_MS = 10_000;

export interface Ending {
  /** What the service itself says it could not finish. */
  readonly unfinished: readonly string[];
  /** The exit code; absent when it had to be killed, or was. */
  readonly exitCode?: number | undefined;
  /** What kept it from ending by itself: kind → how many. */
  readonly remains: Readonly<Record<string, number>>;
}

/** The service under test, from outside. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<readonly [code: number | null, signal: string | null]>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #orders = 0;
  #end: Error | undefined;

  constructor() {
    this.#child = fork(join(import.meta.dirname, "service-main.ts"), [], { execArgv: ["--expose-gc"] });
    this.#child.on("message", (answer: ServiceAnswer) => this.#hear(answer));
    // Told nothing more once it has ended; that says enough.
    this.#child.on("error", () => undefined);
    this.#exit = once(this.#child, "exit") as Promise<[number | null, string | null]>;
    void this.#exit.then(([code, signal]) => this.#giveUp(code ?? signal));
  }

  async start(setup: ServiceSetup): Promise<void> {
    await this.#ask("start", setup);
  }

  sample(): Promise<Sample> {
    return this.#ask("sample", null);
  }

  async isolate(another: boolean): Promise<void> {
    await this.#ask("isolate", another);
  }

  view(): Promise<View> {
    return this.#ask("view", null);
  }

  story(): Promise<Story> {
    return this.#ask("story", null);
  }

  /** Stops the service and waits for the process to end by itself. */
  async stop(): Promise<Ending> {
    const unfinished = await this.#ask("stop", null);
    try {
      const [code] = await within(this.#exit, EXIT_MS);
      return { unfinished, exitCode: code ?? undefined, remains: {} };
    } catch {
      return { unfinished, remains: await this.#ask("remains", null) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#exit;
  }

  async #ask<K extends keyof ServiceOrders>(
    kind: K,
    asked: ServiceOrders[K]["asked"],
  ): Promise<ServiceOrders[K]["answer"]> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#orders;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    try {
      this.#child.send({ id, kind, asked });
      // `ServiceOrders` is the one table of both processes.
      return (await within(answer.promise, ANSWER_MS)) as ServiceOrders[K]["answer"];
    } finally {
      this.#waiting.delete(id);
    }
  }

  #hear(answer: ServiceAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if ("error" in answer) waiting?.reject(new Error(`the service failed: ${answer.error}`));
    else waiting?.resolve(answer.answer);
  }

  #giveUp(how: number | string | null): void {
    this.#end = new Error(`the service's process ended: ${how}`);
    for (const { reject } of this.#waiting.values()) reject(this.#end);
  }
}

async function within<T>(work: Promise<T>, afterMs: number): Promise<T> {
  const error = () => new ProvisioningError("LIFECYCLE_ABORTED", `not done within ${afterMs} ms`);
  using deadline = createDeadline({ afterMs, clock: systemClock, error });
  return await untilAborted(work, deadline.signal);
}
