import { describe, expect, test } from "vitest";
import { collectUnhandledRejections } from "./unhandled-rejections.ts";

describe("collectUnhandledRejections", () => {
  test("returns the unhandled rejections, and restores the listeners of the process", async () => {
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
