import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createDeadline, ProvisioningError, systemClock, untilAborted } from "@holdfast/core";
import type { Sample, RunSummary, View } from "./sample.ts";
import type { ServiceResponse, ServiceRequests } from "./service-request.ts";
import type { ServiceSetup } from "./service-setup.ts";

/** A response that takes longer than this means that the event loop is blocked. */
const RESPONSE_MS = 60_000;
const EXIT_MS = 10_000;

export interface Ending {
  /** The parts that the service reported as unfinished. */
  readonly unfinished: readonly string[];
  /** The exit code; absent when a signal ended the process, or when it had to be killed. */
  readonly exitCode?: number | undefined;
  /** The resources that kept the process from exiting: counts by kind. */
  readonly remains: Readonly<Record<string, number>>;
}

/** The process of the service under test, controlled from the process that measures it. */
export class ServiceProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exit: Promise<readonly [code: number | null, signal: string | null]>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #requests = 0;
  #end: Error | undefined;

  constructor() {
    this.#child = fork(join(import.meta.dirname, "service-main.ts"), [], { execArgv: ["--expose-gc"] });
    this.#child.on("message", (response: ServiceResponse) => this.#receive(response));
    // Sending to a process that has ended emits an error; the exit is handled below.
    this.#child.on("error", () => undefined);
    this.#exit = once(this.#child, "exit") as Promise<[number | null, string | null]>;
    void this.#exit.then(([code, signal]) => this.#rejectAll(code ?? signal));
  }

  async start(setup: ServiceSetup): Promise<void> {
    await this.#request("start", setup);
  }

  sample(): Promise<Sample> {
    return this.#request("sample", null);
  }

  async isolate(another: boolean): Promise<void> {
    await this.#request("isolate", another);
  }

  view(): Promise<View> {
    return this.#request("view", null);
  }

  summary(): Promise<RunSummary> {
    return this.#request("summary", null);
  }

  /** Stops the service and waits until the process exits. */
  async stop(): Promise<Ending> {
    const unfinished = await this.#request("stop", null);
    try {
      const [code] = await within(this.#exit, EXIT_MS);
      return { unfinished, exitCode: code ?? undefined, remains: {} };
    } catch {
      return { unfinished, remains: await this.#request("remains", null) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.#exit;
  }

  async #request<K extends keyof ServiceRequests>(
    kind: K,
    params: ServiceRequests[K]["params"],
  ): Promise<ServiceRequests[K]["result"]> {
    if (this.#end !== undefined) throw this.#end;
    const id = ++this.#requests;
    const response = Promise.withResolvers<unknown>();
    this.#waiting.set(id, response);
    try {
      this.#child.send({ id, kind, params });
      // Both processes use the types in `ServiceRequests`.
      return (await within(response.promise, RESPONSE_MS)) as ServiceRequests[K]["result"];
    } finally {
      this.#waiting.delete(id);
    }
  }

  #receive(response: ServiceResponse): void {
    const waiting = this.#waiting.get(response.id);
    if ("error" in response) waiting?.reject(new Error(`the service failed: ${response.error}`));
    else waiting?.resolve(response.result);
  }

  #rejectAll(how: number | string | null): void {
    this.#end = new Error(`the service's process ended: ${how}`);
    for (const { reject } of this.#waiting.values()) reject(this.#end);
  }
}

async function within<T>(work: Promise<T>, afterMs: number): Promise<T> {
  const error = () => new ProvisioningError("LIFECYCLE_ABORTED", `not finished within ${afterMs} ms`);
  using deadline = createDeadline({ afterMs, clock: systemClock, error });
  return await untilAborted(work, deadline.signal);
}
