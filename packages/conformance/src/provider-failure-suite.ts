import { ok, strictEqual } from "node:assert/strict";
import { ProvisioningError, type SourceEvent } from "@holdfast/core";
import { asProvisioningError, type DefineProviderTest, type ProviderTrial } from "./provider-trial.ts";
import { contentKey, sampleNode, SAMPLE_NODES } from "./sample-nodes.ts";
import { collectUnhandledRejections } from "@holdfast-apps/test-support";
import type { WatchRecording } from "./watch-recording.ts";

/** Tests of the events of a provider whose backend works, hangs, fails or ends its streams. */
export function defineFailureTests(test: DefineProviderTest): void {
  test("without changes an event is yielded at least every heartbeatMs", [], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    const withinMs = trial.heartbeatMs + (trial.time.slackMs ?? 0);
    for (let beat = 1; beat <= 3; beat++) {
      const before = watch.events.length;
      const find = () => watch.events.slice(before).find(provesLife);
      await watch.waitFor(`event ${beat}`, find, withinMs);
    }
    strictEqual(watch.outcome.kind, "running");
  });

  test("a backend that hangs yields no snapshot or heartbeat", ["hangBackend"], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.drive("hangBackend");
    // A response may still be in transit.
    await trial.time.advance(trial.heartbeatMs);
    const before = watch.events.length;
    await trial.time.advance(trial.heartbeatMs * 3);
    const signs = watch.events.slice(before).filter(provesLife);
    strictEqual(signs.length, 0, `events of the watch: ${watch.describe()}`);
  });

  test("a watch on a backend that hangs ends quietly when aborted", ["hangBackend"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.drive("hangBackend");
    const watch = trial.watch();
    await trial.time.advance(0);
    watch.abort();
    await trial.prompt("the end of the watch", watch.over);
    strictEqual(watch.outcome.kind, "ended", `events of the watch: ${watch.describe()}`);
    strictEqual(watch.events.filter(provesLife).length, 0);
  });

  test(
    "a backend that breaks fails the watch and is never shown as empty",
    ["breakBackend"],
    async (trial) => {
      const watch = await trial.watchShowing(SAMPLE_NODES);
      await trial.drive("breakBackend");
      await watch.waitFor("the failure", () => failureOf(watch));
      const shown = contentKey(trial.expected(SAMPLE_NODES));
      for (const { members } of watch.snapshots) strictEqual(contentKey(members), shown);
    },
  );

  test("a new watch on a broken backend fails and shows nothing", ["breakBackend"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.drive("breakBackend");
    const watch = trial.watch();
    await watch.waitFor("the failure", () => failureOf(watch));
    strictEqual(watch.snapshots.length, 0);
  });

  test("a watch fails with a ProvisioningError", ["breakBackend"], async (trial) => {
    const running = await trial.watchShowing(SAMPLE_NODES);
    await trial.drive("breakBackend");
    await running.waitFor("the failure", () => failureOf(running));
    const fresh = trial.watch();
    await fresh.waitFor("the failure", () => failureOf(fresh));
    for (const { outcome } of [running, fresh]) {
      if (outcome.kind === "failed") asProvisioningError("a watch", outcome.error);
    }
  });

  test("a watch after a failure starts with the current content", ["breakBackend"], async (trial) => {
    const failed = await trial.watchShowing(SAMPLE_NODES);
    await trial.drive("breakBackend");
    await failed.waitFor("the failure", () => failureOf(failed));
    failed.abort();
    await trial.prompt("the end of the failed watch", failed.over);
    await trial.drive("repairBackend");
    await expectFreshStart(trial);
  });

  test("a stream that the backend ends yields an ended event last", ["endStream"], async (trial) => {
    const watch = await trial.watchShowing(SAMPLE_NODES);
    await trial.drive("endStream");
    await watch.waitFor("the end", () => (watch.outcome.kind === "running" ? undefined : watch.outcome));
    strictEqual(watch.outcome.kind, "ended", `events of the watch: ${watch.describe()}`);
    const last = watch.events.at(-1);
    ok(last?.type === "ended" && last.reason === undefined, `events of the watch: ${watch.describe()}`);
  });

  test("a watch after an end starts with the current content", ["endStream"], async (trial) => {
    const ended = await trial.watchShowing(SAMPLE_NODES);
    await trial.drive("endStream");
    await ended.waitFor("the end", () => (ended.outcome.kind === "running" ? undefined : ended.outcome));
    await expectFreshStart(trial);
  });

  test("a probe of a backend that works resolves", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const { signal } = new AbortController();
    await trial.prompt("the probe", trial.provider.probe({ signal }));
  });

  test("a probe of a broken backend rejects with the reason", ["breakBackend"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.drive("breakBackend");
    const { signal } = new AbortController();
    const { category, code } = await trial.rejection("the probe", trial.provider.probe({ signal }));
    ok(category === "connectivity" || code === "STREAM_INVALID_DATA", `rejected with ${code}`);
  });

  test("a probe whose signal has aborted rejects", [], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const signal = AbortSignal.abort();
    const error = await trial.rejection("the probe", trial.provider.probe({ signal }));
    strictEqual(error.code, "LIFECYCLE_ABORTED");
  });

  test("a probe of a backend that hangs rejects as its signal aborts", ["hangBackend"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    await trial.drive("hangBackend");
    const controller = new AbortController();
    const probe = trial.provider.probe({ signal: controller.signal });
    probe.catch(() => undefined);
    await trial.time.advance(0);
    controller.abort(new ProvisioningError("CONNECTIVITY_TIMEOUT", "the probe took too long"));
    const error = await trial.rejection("the probe", probe);
    strictEqual(error.code, "CONNECTIVITY_TIMEOUT");
  });

  test("a probe leaves nothing open", ["countOpen"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const before = trial.countOpen();
    const { signal } = new AbortController();
    await trial.provider.probe({ signal }).catch(() => undefined);
    await trial.closesDownTo(before);
  });

  test("a failure that no read awaits is not an unhandled rejection", ["breakBackend"], async (trial) => {
    await trial.setup.publish(SAMPLE_NODES);
    const rejections = await collectUnhandledRejections(async () => {
      const controller = new AbortController();
      await trial.openWatch(controller.signal);
      await trial.drive("breakBackend");
      await trial.time.advance(trial.heartbeatMs);
      await trial.provider[Symbol.asyncDispose]();
      controller.abort();
      await trial.time.advance(trial.heartbeatMs);
    });
    strictEqual(rejections.length, 0, `unhandled: ${rejections.map(String).join(", ")}`);
  });
}

function provesLife(event: SourceEvent): boolean {
  return event.type === "snapshot" || event.type === "heartbeat";
}

/** A watch fails by throwing, or by yielding an `ended` event with a reason. */
function failureOf({ outcome, events }: WatchRecording): true | undefined {
  const hasErrorEnd = events.some((event) => event.type === "ended" && event.reason !== undefined);
  return outcome.kind === "failed" || hasErrorEnd ? true : undefined;
}

async function expectFreshStart(trial: ProviderTrial): Promise<void> {
  const nodes = [sampleNode(3), sampleNode(4)];
  const watch = await trial.watchShowing(nodes);
  strictEqual(contentKey(watch.snapshots[0]!.members), contentKey(trial.expected(nodes)));
}
