import { describe, expect, test } from "vitest";
import { MemoryProviderStore } from "@holdfast/testing";
import { storeConformance } from "./store-conformance.ts";

describe("MemoryProviderStore", () => {
  storeConformance({
    describe,
    test,
    harness: {
      setup() {
        const store = new MemoryProviderStore();
        return {
          open: () => store.reopen(),
          failNextSave: () => store.failNext(1),
          damage: () => store.damage(),
          contents: () => store.contents,
          teardown: () => undefined,
        };
      },
    },
  });

  test("fails the requested number of times", async () => {
    const store = new MemoryProviderStore();
    store.failNext(2);
    await expect(store.save([])).rejects.toMatchObject({ code: "STORE_IO" });
    await expect(store.reopen().save([])).rejects.toMatchObject({ code: "STORE_IO" });
    await store.save([]);
    expect(store.contents).toBe("[]");
  });
});
