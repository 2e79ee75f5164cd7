import { expect, test } from "vitest";
import { benchConnecting, benchFollowers } from "./bench-followers.ts";
import { SOURCE_PROGRAM } from "./daemon-program.ts";

// R7.5. The figures depend on the machine: `pnpm bench` judges them. This proves that what they are measured on works.
test("many clients in another process follow a daemon, and all of them receive every change", async () => {
  const options = { program: SOURCE_PROGRAM, members: 500, durationMs: 1_000 };
  const figures = await benchFollowers(200, options);
  const bytes = figures.find(({ name }) => name.includes("bytes per change"))!.value;
  // One changed member, not 500.
  expect(bytes).toBeGreaterThan(200);
  expect(bytes).toBeLessThan(1_500);
  for (const { name, value } of figures) expect([name, value > 0]).toEqual([name, true]);
});

// R7.5
test("many clients that connect at the same moment, while members change, all receive the state", async () => {
  const figures = await benchConnecting(300, { program: SOURCE_PROGRAM, members: 500 });
  for (const { name, value } of figures) expect([name, value > 0]).toEqual([name, true]);
});
