import { mkdir, readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import type { Attempt, SavingReport } from "./saving-child.ts";
import { describeFault, toInjection, type SavingFault } from "./saving-fault.ts";
import { SavingProcess } from "./saving-process.ts";
import type { SavedState, SavingSubject } from "./saving-subject.ts";
import { readTrace, type TracedCall } from "./traced-call.ts";

/** The system calls of a save without a fault, and the bytes of the file before and after it. */
export interface PlainSave {
  readonly calls: readonly TracedCall[];
  readonly names: string;
  readonly paths: readonly string[];
  readonly bytes: Readonly<Record<"old" | "new", Buffer>>;
}

/** The state that a process without faults finds after the fault, and whether the save had failed. */
export interface FaultOutcome {
  readonly state: SavedState;
  readonly hasFailed: boolean;
}

/** A subject in a separate folder, in which the old state is saved. */
class Prepared implements AsyncDisposable {
  readonly subject: SavingSubject;
  readonly folder: string;
  readonly log: string;
  readonly #owned: AsyncDisposable;

  private constructor(subject: SavingSubject, owned: AsyncDisposable & { readonly path: string }) {
    this.subject = subject;
    this.#owned = owned;
    this.folder = join(owned.path, "subject");
    this.log = join(owned.path, "log");
  }

  static async create(subject: SavingSubject): Promise<Prepared> {
    const prepared = new Prepared(subject, await emptyFolder());
    await mkdir(prepared.folder);
    await mkdir(prepared.log);
    await prepared.save("old");
    return prepared;
  }

  get file(): string {
    return join(this.folder, this.subject.file);
  }

  /** Returns the state that a process without faults loads from the folder. */
  async load(): Promise<SavedState> {
    await using saver = await this.subject.open(this.folder);
    return await saver.load();
  }

  async save(state: SavedState): Promise<void> {
    await using saver = await this.subject.open(this.folder);
    if (state !== "old") await saver.load();
    await saver.save(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

/** Runs a save without a fault and records its system calls. */
export async function tracePlainSave(subject: SavingSubject): Promise<PlainSave> {
  await using prepared = await Prepared.create(subject);
  const { folder, log, file } = prepared;
  const old = await readFile(file);
  await using child = new SavingProcess(subject, folder, { log, calls: "%file,%desc" });
  const report = await child.report();
  const { err } = await child.end();
  expect({ report, err }).toEqual({ report: reportOf("new"), err: "" });
  const threads = await readTrace({ log, folder: dirname(file), pid: child.pid });
  expect(threads, "one thread makes all calls").toHaveLength(1);
  const [calls = []] = threads;
  const names = [...new Set(calls.map(({ name }) => name))].join();
  const paths = [...new Set(calls.flatMap((call) => call.paths))];
  return { calls, names, paths, bytes: { old, new: await readFile(file) } };
}

/** Runs a save with a fault and checks all promises for that case. */
export async function runFaultySave(
  subject: SavingSubject,
  plain: PlainSave,
  fault: SavingFault,
): Promise<FaultOutcome> {
  try {
    return await runFault(subject, plain, fault);
  } catch (error) {
    throw new Error(`${subject.name}: ${describeFault(fault)}`, { cause: error });
  }
}

async function runFault(subject: SavingSubject, plain: PlainSave, fault: SavingFault): Promise<FaultOutcome> {
  await using prepared = await Prepared.create(subject);
  const { folder, log, file } = prepared;
  const inject = toInjection(fault);
  const paths = plain.paths.map((path) => join(dirname(file), path));
  await using child = new SavingProcess(subject, folder, { log, calls: fault.call.name, paths, inject });
  const report = await child.report();
  const isKill = fault.effect === "SIGKILL";
  expect(report === undefined, "the process reports its result, unless it was killed").toBe(isKill);
  const state = await prepared.load();
  expect(["old", "new"], "the old or the new state, complete").toContain(state);
  if (subject.hasFixedBytes) expect(await readFile(file)).toEqual(plain.bytes[state as "old" | "new"]);
  if (report !== undefined) {
    expectClear(report, fault, file);
    expectInForce(report, state, fault);
    const next = await child.saveNext();
    if (fault.isLasting && next !== undefined && "failure" in next) expectStoreError(next, fault, file);
    else expect({ next, state: await prepared.load() }).toEqual({ next: { state: "next" }, state: "next" });
  }
  const { signal, err } = await child.end();
  expect({ signal, err }).toEqual({ signal: isKill ? "SIGKILL" : null, err: "" });
  expectFaultHit(fault, await readTrace({ log, folder: dirname(file), pid: child.pid }));
  await prepared.save("last");
  expect(await prepared.load()).toBe("last");
  expect(await readdir(dirname(file)), "no temporary file is left").toEqual([basename(file)]);
  return { state, hasFailed: report === undefined || "failure" in report.saved };
}

function reportOf(state: SavedState): SavingReport {
  return { saved: { state }, inForce: { state }, warnings: [] };
}

/** Checks that failures have the right code, and name the file and the error of the system. */
function expectClear({ saved, inForce }: SavingReport, fault: SavingFault, file: string): void {
  if ("failure" in saved) expectStoreError(saved, fault, file);
  // The load after it may fail too, if the fault lasts.
  if ("failure" in inForce) expectStoreError(inForce, fault, file);
}

function expectStoreError(attempt: Attempt, { effect }: SavingFault, file: string): void {
  expect(attempt).toMatchObject({
    failure: {
      code: "STORE_IO",
      message: expect.stringContaining(effect),
      details: { file, code: effect, operation: expect.stringMatching(/^[a-z]+$/) },
    },
  });
  expect("failure" in attempt && attempt.failure.message).toContain(file);
}

/** Checks that the process has the stored state in force. They may differ only if the fault lasts, and then a warning is required. */
function expectInForce(
  { saved, inForce, warnings }: SavingReport,
  found: SavedState,
  fault: SavingFault,
): void {
  if ("state" in saved) expect(found, "an acknowledged save is stored").toBe("new");
  if (!fault.isLasting) expect({ inForce, warnings }).toEqual({ inForce: { state: found }, warnings: [] });
  else if ("state" in inForce && inForce.state !== found) expect(warnings).toEqual(["STORE_IO"]);
}

/** Checks that the fault was injected. */
function expectFaultHit({ call, effect }: SavingFault, threads: readonly (readonly TracedCall[])[]): void {
  const { name, ordinal, paths } = call;
  const isKill = effect === "SIGKILL";
  const hits = threads.map((calls) => (isKill ? calls.at(-1) : calls.find(({ wasInjected }) => wasInjected)));
  expect(hits).toContainEqual({ name, ordinal, paths, wasInjected: !isKill });
}
