import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { getEventListeners } from "node:events";
import { asProvisioningError, type DefineProviderTest } from "./provider-trial.ts";
import { sampleNode, SAMPLE_NODES } from "./sample-nodes.ts";

/** Tests of abort and disposal: a watch and a provider end without an error, promptly, and leave nothing open. */
export function defineLifeTests(test: DefineProviderTest): void {
  test("a watch whose signal has already aborted yields no events", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const iterator = trial.provider.watch({ signal: AbortSignal.abort() })[Symbol.asyncIterator]();
    await trial.isOver(iterator);
  });

  test("an abort before the first event ends the watch quietly", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const controller = new AbortController();
    const iterator = trial.provider.watch({ signal: controller.signal })[Symbol.asyncIterator]();
    const first = iterator.next();
    controller.abort();
    const result = await trial.prompt("the first read", first);
    if (result.done !== true) await trial.isOver(iterator);
  });

  test("an abort between two events ends the watch quietly", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const controller = new AbortController();
    const iterator = await trial.openWatch(controller.signal);
    controller.abort();
    await trial.isOver(iterator);
  });

  test("an abort while the next event is awaited ends the watch quietly", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.time.advance(0);
    watch.abort();
    await trial.prompt("the end of the watch", watch.over);
    deepStrictEqual(watch.outcome, { kind: "ended" });
  });

  test("an abort leaves nothing open", ["countOpen"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const before = trial.countOpen();
    const watch = await trial.watchShowing(SAMPLE_NODES);
    watch.abort();
    await trial.prompt("the end of the watch", watch.over);
    await trial.closesDownTo(before);
  });

  test("leaving the loop stops the watch", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const { signal } = new AbortController();
    const iterator = await trial.openWatch(signal);
    await trial.leave(iterator);
    const { done } = await trial.prompt("the read after the return", iterator.next());
    strictEqual(done, true);
  });

  test("leaving the loop leaves nothing open", ["countOpen"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const before = trial.countOpen();
    const { signal } = new AbortController();
    const iterator = await trial.openWatch(signal);
    await trial.leave(iterator);
    await trial.closesDownTo(before);
  });

  test("a watch that has ended leaves no listener on its signal", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const { signal } = new AbortController();
    const iterator = await trial.openWatch(signal);
    await trial.leave(iterator);
    await trial.time.advance(0);
    strictEqual(getEventListeners(signal, "abort").length, 0);
  });

  test("disposal ends running watches, and they yield no more events", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.prompt("the disposal", trial.provider[Symbol.asyncDispose]());
    await trial.prompt("the end of the watch", watch.over);
    const { outcome, events } = watch;
    if (outcome.kind === "failed") {
      strictEqual(asProvisioningError("the watch", outcome.error).code, "LIFECYCLE_STOPPED");
    }
    const count = events.length;
    await trial.setup.publish([sampleNode(3)]);
    await trial.time.advance(trial.heartbeatMs * 2);
    strictEqual(events.length, count);
  });

  test("disposal may be repeated and may overlap", [], async (trial) => {
    await trial.watchShowing(SAMPLE_NODES);
    const dispose = () => trial.provider[Symbol.asyncDispose]();
    await trial.prompt("the first two disposals", Promise.all([dispose(), dispose()]));
    await trial.prompt("the third disposal", dispose());
  });

  test("a provider that was never used can be disposed of", [], async (trial) => {
    await trial.prompt("the disposal", trial.provider[Symbol.asyncDispose]());
  });

  test("disposal leaves nothing open", ["countOpen"], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.prompt("the disposal", trial.provider[Symbol.asyncDispose]());
    await trial.prompt("the end of the watch", watch.over);
    await trial.closesDownTo(0);
  });

  test("after disposal a watch is refused with LIFECYCLE_STOPPED", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.provider[Symbol.asyncDispose]();
    const watch = trial.watch();
    await trial.prompt("the end of the watch", watch.over);
    ok(watch.outcome.kind === "failed", `events of the watch: ${watch.describe()}`);
    strictEqual(asProvisioningError("the watch", watch.outcome.error).code, "LIFECYCLE_STOPPED");
    deepStrictEqual(watch.events, []);
  });

  test("after disposal a probe is refused with LIFECYCLE_STOPPED", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.provider[Symbol.asyncDispose]();
    const { signal } = new AbortController();
    const error = await trial.rejection("the probe", trial.provider.probe({ signal }));
    strictEqual(error.code, "LIFECYCLE_STOPPED");
  });
}
