import { expect, test } from "vitest";
import { OneAtATime } from "./one-at-a-time.ts";

test("handles an item that is pushed during the handling of another afterwards, in order", () => {
  const steps: string[] = [];
  const queue = new OneAtATime<number>((item) => {
    steps.push(`begin ${item}`);
    if (item === 1) {
      queue.push(2);
      queue.push(3);
    }
    if (item === 2) queue.push(4);
    steps.push(`end ${item}`);
  });
  queue.push(1);
  expect(steps).toEqual([1, 2, 3, 4].flatMap((item) => [`begin ${item}`, `end ${item}`]));
  queue.push(5);
  expect(steps.at(-1)).toBe("end 5");
});

test("handles the next item after a handler has thrown", () => {
  const handled: number[] = [];
  const queue = new OneAtATime<number>((item) => {
    handled.push(item);
    if (item !== 1) return;
    queue.push(2);
    throw new Error("broken");
  });
  expect(() => queue.push(1)).toThrow("broken");
  queue.push(3);
  expect(handled).toEqual([1, 2, 3]);
});
