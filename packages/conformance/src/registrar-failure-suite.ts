import { ok, strictEqual } from "node:assert/strict";
import { ProvisioningError, type Registration } from "@holdfast/core";
import type { DefineRegistrarTest } from "./registrar-trial.ts";
import { sampleNode } from "./sample-nodes.ts";

const CALLS = ["register", "beat", "drain", "leave"] as const satisfies readonly (keyof Registration)[];

/** The categories of failures of a backend. */
const BACKEND = ["connectivity", "stream", "store"];

/** Tests of a backend that loses its data, fails or hangs. */
export function defineRegistrarFailureTests(test: DefineRegistrarTest): void {
  test(
    "a beat reports that the backend has lost the entry, and registering repairs it",
    ["loseData"],
    async (trial) => {
      const opened = await trial.announced(sampleNode(1));
      await trial.drive("loseData");
      await trial.dropsOut(sampleNode(1));
      const { code } = await trial.rejection("the beat", opened.beat());
      strictEqual(code, "LIFECYCLE_REGISTRATION_LOST");
      await opened.register();
      await trial.lists([sampleNode(1)]);
      await opened.beat();
    },
  );

  test("leaving resolves when the backend has lost the entry", ["loseData"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await trial.drive("loseData");
    await opened.leave();
    await trial.staysOut(sampleNode(1));
  });

  test("a backend that fails rejects every call with a code", ["breakBackend"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await trial.drive("breakBackend");
    for (const name of CALLS) {
      const { category, code } = await trial.rejection(name, opened[name]());
      ok(BACKEND.includes(category), `${name} was rejected with ${code}`);
    }
  });

  test("calls succeed again after the backend was repaired", ["breakBackend"], async (trial) => {
    const opened = trial.open(sampleNode(1));
    await trial.drive("breakBackend");
    await trial.rejection("the registration", opened.register());
    await trial.drive("repairBackend");
    await opened.register();
    await trial.lists([sampleNode(1)]);
    await opened.beat();
    await opened.drain();
    await trial.dropsOut(sampleNode(1));
    await opened.leave();
  });

  test(
    "a call to a backend that hangs ends with its signal, for its reason",
    ["hangBackend"],
    async (trial) => {
      const opened = await trial.announced(sampleNode(1));
      await trial.drive("hangBackend");
      for (const name of CALLS) {
        const stop = new AbortController();
        const call = opened.registration[name]({ signal: stop.signal });
        call.catch(() => undefined);
        await trial.setup.time.advance(10);
        const reason = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too slow");
        stop.abort(reason);
        strictEqual(await trial.rejection(name, call), reason);
      }
    },
  );

  test("leaving after an aborted registration leaves no entry", ["hangBackend"], async (trial) => {
    const opened = trial.open(sampleNode(1));
    await trial.drive("hangBackend");
    const stop = new AbortController();
    const call = opened.registration.register({ signal: stop.signal });
    call.catch(() => undefined);
    await trial.setup.time.advance(10);
    stop.abort();
    await trial.rejection("the registration", call);
    await trial.drive("repairBackend");
    await opened.leave();
    await trial.staysOut(sampleNode(1));
  });

  test("an abort leaves nothing open", ["hangBackend", "countOpen"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    const before = trial.countOpen();
    await trial.drive("hangBackend");
    const stop = new AbortController();
    const call = opened.registration.beat({ signal: stop.signal });
    call.catch(() => undefined);
    await trial.setup.time.advance(10);
    stop.abort();
    await trial.rejection("the beat", call);
    await trial.closesDownTo(before);
  });
}
