import { ProvisioningError } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { prepareJointly, type PreparedPart } from "./joint-change.ts";

const clock = new VirtualClock();
const options = { clock, saveTimeoutMs: 10_000 };

const failure = (text: string) => new ProvisioningError("STORE_IO", text);

/** Tasks whose steps are recorded; the steps in `failing` fail. */
function record(names: readonly string[], ...failing: readonly string[]) {
  const steps: string[] = [];
  const step = async (text: string) => {
    await Promise.resolve();
    if (failing.includes(text)) throw failure(text);
    steps.push(text);
  };
  const partOf = (name: string): PreparedPart => ({
    save: () => step(`save ${name}`),
    revert: () => step(`revert ${name}`),
    [Symbol.dispose]: () => void steps.push(`dispose ${name}`),
  });
  const prepare = async (name: string) => {
    await step(`prepare ${name}`);
    return partOf(name);
  };
  return { steps, tasks: new Map(names.map((name) => [name, () => prepare(name)])) };
}

// R5.4
describe("prepareJointly", () => {
  test("prepares all before it saves any", async () => {
    const { steps, tasks } = record(["a", "b"]);
    expect([...(await prepareJointly(tasks, options)).keys()]).toEqual(["a", "b"]);
    expect(steps).toEqual(["prepare a", "prepare b", "save a", "save b"]);
  });

  test("saves none when one cannot be prepared", async () => {
    const { steps, tasks } = record(["a", "b", "c"], "prepare b");
    await expect(prepareJointly(tasks, options)).rejects.toMatchObject({
      code: "STORE_IO",
      message: '[STORE_IO] the topology "b": [STORE_IO] prepare b',
      details: { topology: "b" },
    });
    expect(steps).toEqual(["prepare a", "prepare c", "dispose a", "dispose c"]);
  });

  test("reverts what was saved when a save fails, and names every topology that failed", async () => {
    const { steps, tasks } = record(["a", "b", "c"], "save a", "save c");
    await expect(prepareJointly(tasks, options)).rejects.toMatchObject({
      details: {
        failures: [
          { topology: "a", code: "STORE_IO", message: "[STORE_IO] save a" },
          { topology: "c", code: "STORE_IO", message: "[STORE_IO] save c" },
        ],
      },
    });
    expect(steps.slice(3)).toEqual(["save b", "revert b", "dispose a", "dispose b", "dispose c"]);
  });

  test("a save that hangs fails in time, so that it does not block later changes", async () => {
    const { steps, tasks } = record(["a"]);
    const hanging: PreparedPart = {
      save: () => new Promise(() => {}),
      revert: () => Promise.resolve(),
      [Symbol.dispose]: () => void steps.push("dispose b"),
    };
    const all = new Map([...tasks, ["b", () => Promise.resolve(hanging)]]);
    await expect(clock.until(prepareJointly(all, options), 10_000)).rejects.toMatchObject({
      code: "STORE_IO",
      details: { topology: "b" },
    });
    expect(steps.slice(0, 3)).toEqual(["prepare a", "save a", "revert a"]);
    expect(steps.slice(3).sort()).toEqual(["dispose a", "dispose b"]);
    expect(clock.pendingTimers).toBe(0);
  });
});
