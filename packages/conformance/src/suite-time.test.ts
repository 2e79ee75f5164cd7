import { sleep } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { createRealTime } from "./suite-time.ts";
import { VirtualClock } from "@holdfast/testing";

describe("createRealTime", () => {
  test("waits for work up to the time limit, then rejects, and leaves no timer", async () => {
    const clock = new VirtualClock();
    const time = createRealTime({ clock });
    const quick = time.until(
      sleep(50, { clock }).then(() => "done"),
      100,
    );
    await clock.advance(50);
    expect([await quick, clock.pendingTimers]).toEqual(["done", 0]);

    const slow = time.until(Promise.withResolvers<void>().promise, 100);
    slow.catch(() => undefined);
    await clock.advance(100);
    await expect(slow).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("advances by waiting on its clock", async () => {
    const clock = new VirtualClock();
    const passed = createRealTime({ clock }).advance(30);
    await clock.advance(29);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    await passed;
  });

  test("has a slack of two seconds, or the given one", () => {
    expect(createRealTime().slackMs).toBe(2_000);
    expect(createRealTime({ slackMs: 10 }).slackMs).toBe(10);
  });
});
