import { describe, expect, test } from "vitest";
import { collectUnhandledRejections } from "./unhandled-rejections.ts";

describe("collectUnhandledRejections", () => {
  test("gives what nobody handled, and puts the process's own listeners back", async () => {
    const before = process.listeners("unhandledRejection");
    const lost = new Error("lost");
    const collected = await collectUnhandledRejections(async () => {
      void Promise.reject(lost);
      await Promise.reject(new Error("handled")).catch(() => undefined);
    });
    expect(collected).toEqual([lost]);
    expect(process.listeners("unhandledRejection")).toEqual(before);
    const failed = collectUnhandledRejections(() => Promise.reject(new Error("broken body")));
    await expect(failed).rejects.toThrow("broken body");
    expect(process.listeners("unhandledRejection")).toEqual(before);
  });
});
