import { expect, test } from "vitest";
import { Wakeup } from "./wakeup.ts";

test("a wake while the reader is busy ends only its next wait", async () => {
  const wakeup = new Wakeup();
  wakeup.wake();
  wakeup.wake();
  await wakeup.wait();
  let isOver = false;
  const second = wakeup.wait().then(() => (isOver = true));
  await Promise.resolve();
  expect(isOver).toBe(false);
  wakeup.wake();
  await second;
  expect(isOver).toBe(true);
});
