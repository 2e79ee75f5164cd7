import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { DefineRegistrarTest, OpenedRegistration, RegistrarTrial } from "./registrar-trial.ts";
import { sampleNode } from "./sample-nodes.ts";

/** Tests of what readers of the backend see of a member that registers, beats, drains and leaves. */
export function defineAnnouncementTests(test: DefineRegistrarTest): void {
  test("opening a registration announces nothing", [], async (trial) => {
    trial.open(sampleNode(1));
    await trial.staysOut(sampleNode(1));
  });

  test("a registered member is listed with every field", [], async (trial) => {
    const nodes = [
      sampleNode(1),
      sampleNode(2, { metadata: { owner: "team-7", empty: "" }, tags: ["b", "a", "b"] }),
    ];
    for (const node of nodes) await trial.announced(node);
    await trial.listsWithEveryField(nodes);
  });

  test("a member with only the required fields is listed", [], async (trial) => {
    const node = { id: "node-1", host: "10.0.0.1", port: 7_001 };
    await trial.announced(node);
    await trial.listsWithEveryField([node]);
  });

  test("registering again lists the member once", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.register();
    await opened.register();
    await trial.lists([sampleNode(1)]);
  });

  test("members are independent of each other", [], async (trial) => {
    const first = await trial.announced(sampleNode(1));
    await trial.announced(sampleNode(2));
    await trial.lists([sampleNode(1), sampleNode(2)]);
    await first.leave();
    await trial.dropsOut(sampleNode(1));
    await trial.lists([sampleNode(2)]);
  });

  test("a member that does not beat is not listed after its time to live", ["expire"], async (trial) => {
    const { registration } = await trial.announced(sampleNode(1));
    await trial.setup.time.advance(ttlOf(registration.ttlMs));
    await trial.dropsOut(sampleNode(1));
  });

  test("beats keep a member listed", ["expire"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await beatFor(trial, opened, 3, async () => {
      const ids = (await trial.setup.list()).map(({ id }) => id);
      deepStrictEqual(ids, ["node-1"]);
    });
  });

  test("a member that was not listed for want of beats comes back", ["expire"], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await trial.setup.time.advance(ttlOf(opened.registration.ttlMs));
    await trial.dropsOut(sampleNode(1));
    await opened.register();
    await trial.lists([sampleNode(1)]);
  });

  test("a drained member is not listed", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.drain();
    await trial.dropsOut(sampleNode(1));
    await opened.drain();
    await trial.staysOut(sampleNode(1));
  });

  test("beats do not end a drain", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.drain();
    await trial.dropsOut(sampleNode(1));
    await opened.beat();
    await trial.staysOut(sampleNode(1));
  });

  test("registering ends a drain", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.drain();
    await trial.dropsOut(sampleNode(1));
    await opened.register();
    await trial.lists([sampleNode(1)]);
  });

  test("a member that left is not listed", [], async (trial) => {
    const opened = await trial.announced(sampleNode(1));
    await opened.leave();
    await trial.dropsOut(sampleNode(1));
    await opened.leave();
    await trial.staysOut(sampleNode(1));
  });

  test("leaving without an entry resolves", [], async (trial) => {
    await trial.open(sampleNode(1)).leave();
  });

  test("after leaving, another process can use the id at once", [], async (trial) => {
    const first = await trial.announced(sampleNode(1));
    await first.drain();
    await first.leave();
    await trial.announced(sampleNode(1, { port: 8_001 }));
  });

  test("a beat without an entry is rejected with LIFECYCLE_REGISTRATION_LOST", [], async (trial) => {
    const opened = trial.open(sampleNode(1));
    const before = await trial.rejection("the beat before the registration", opened.beat());
    strictEqual(before.code, "LIFECYCLE_REGISTRATION_LOST");
    await opened.register();
    await opened.leave();
    const after = await trial.rejection("the beat after leaving", opened.beat());
    strictEqual(after.code, "LIFECYCLE_REGISTRATION_LOST");
    await trial.staysOut(sampleNode(1));
  });

  test("a later process takes over the entry of one that died", [], async (trial) => {
    const first = await trial.announced(sampleNode(1));
    await first.dispose();
    await takeOver(trial, first);
  });

  test("a later process takes over the entry of one that died while it drained", [], async (trial) => {
    const first = await trial.announced(sampleNode(1));
    await first.drain();
    await first.dispose();
    await takeOver(trial, first);
  });

  test("the entry of a living process is neither replaced nor removed", ["detectOwner"], async (trial) => {
    const first = await trial.announced(sampleNode(1));
    const second = trial.open(sampleNode(1, { port: 8_001 }));
    const { code } = await trial.rejection("the registration with a used id", second.register());
    strictEqual(code, "VALIDATION_DUPLICATE_ID");
    await second.leave();
    await first.beat();
    await trial.lists([sampleNode(1)]);
  });
}

function ttlOf(ttlMs: number | undefined): number {
  ok(ttlMs !== undefined, `"ttlMs" is missing, and the harness does not list "expire" in "lacks"`);
  return ttlMs;
}

/** Beats for this many times the time to live, and calls `check` after each beat. */
async function beatFor(
  trial: RegistrarTrial,
  { registration, beat }: OpenedRegistration,
  times: number,
  check: () => Promise<void>,
): Promise<void> {
  const { beatMs, ttlMs } = registration;
  ok(beatMs !== undefined && beatMs <= ttlOf(ttlMs) / 2, `"beatMs" is ${beatMs}, more than half of "ttlMs"`);
  for (let passed = 0; passed < times * ttlOf(ttlMs); passed += beatMs) {
    await trial.setup.time.advance(beatMs);
    await beat();
    await check();
  }
}

/** Registers another process with the same id. It may have to wait until the entry of the first one has expired. */
async function takeOver(trial: RegistrarTrial, { registration }: OpenedRegistration): Promise<void> {
  const node = sampleNode(1, { port: 8_001 });
  const second = trial.open(node);
  const ttlMs = registration.ttlMs ?? 0;
  const stepMs = Math.max(ttlMs / 10, 1);
  for (let waited = 0; ; waited += stepMs) {
    try {
      await second.register();
      break;
    } catch (error) {
      if (waited > ttlMs + trial.patienceMs) throw error;
      await trial.setup.time.advance(stepMs);
    }
  }
  await trial.lists([node]);
}
