import { strictEqual } from "node:assert/strict";
import { getEventListeners } from "node:events";
import type { DefineRegistrarTest } from "./registrar-trial.ts";
import { sampleNode } from "./sample-nodes.ts";

/** Tests of aborted signals and of disposal. */
export function defineRegistrarLifeTests(test: DefineRegistrarTest): void {
  test("a call whose signal has already aborted does nothing", [], async (trial) => {
    const { registration } = trial.open(sampleNode(1));
    const call = registration.register({ signal: AbortSignal.abort() });
    const { code } = await trial.rejection("the registration", call);
    strictEqual(code, "LIFECYCLE_ABORTED");
    await trial.staysOut(sampleNode(1));
  });

  test("a call that has ended leaves no listener on its signal", [], async (trial) => {
    const { registration } = trial.open(sampleNode(1));
    const { signal } = new AbortController();
    await trial.setup.time.until(registration.register({ signal }), trial.patienceMs);
    await trial.setup.time.until(registration.beat({ signal }), trial.patienceMs);
    await trial.setup.time.until(registration.leave({ signal }), trial.patienceMs);
    strictEqual(getEventListeners(signal, "abort").length, 0);
  });

  test("disposal does not remove the entry", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.dispose();
    await trial.lists([sampleNode(1)]);
  });

  test("after disposal every call is rejected with LIFECYCLE_STOPPED", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.dispose();
    for (const name of ["register", "beat", "drain", "leave"] as const) {
      const { code } = await trial.rejection(name, opened[name]());
      strictEqual(code, "LIFECYCLE_STOPPED", name);
    }
  });

  test("disposal ends a running call with LIFECYCLE_STOPPED", ["hangBackend"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await trial.drive("hangBackend");
    const beat = opened.registration.beat({ signal: new AbortController().signal });
    beat.catch(() => undefined);
    await trial.setup.time.advance(10);
    await opened.dispose();
    strictEqual((await trial.rejection("the beat", beat)).code, "LIFECYCLE_STOPPED");
  });

  test("disposal may be repeated and may overlap", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    const both = [1, 2].map(() => opened.registration[Symbol.asyncDispose]());
    await trial.setup.time.until(Promise.all(both), trial.patienceMs);
    await opened.dispose();
  });

  test("a registration that was never used can be disposed of", [], async (trial) => {
    await trial.open(sampleNode(1)).dispose();
  });

  test("disposal leaves nothing open", ["countOpen"], async (trial) => {
    const before = trial.countOpen();
    const opened = await trial.announced(sampleNode(1));
    await opened.beat();
    await opened.drain();
    await opened.dispose();
    await trial.closesDownTo(before);
  });
}
