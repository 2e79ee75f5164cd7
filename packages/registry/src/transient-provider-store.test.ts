import { expect, test } from "vitest";
import { TransientProviderStore } from "./transient-provider-store.ts";

test("keeps the last saved set, also when the saved objects are changed later", async () => {
  const store = new TransientProviderStore();
  expect(await store.load()).toEqual([]);
  const params = { path: "a.yaml" };
  const set = [{ id: "a", kind: "file", priority: 1, params }];
  await store.save(set);
  params.path = "b.yaml";
  expect(await store.load()).toEqual([{ id: "a", kind: "file", priority: 1, params: { path: "a.yaml" } }]);
  await store.save([]);
  expect(await store.load()).toEqual([]);
});
