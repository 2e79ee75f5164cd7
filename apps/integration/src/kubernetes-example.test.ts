import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "@holdfast/cli";
import { root } from "@holdfast-apps/lab/packed-packages";

// R1.1
test("the configuration of examples/kubernetes is valid", async () => {
  const { topologies } = await loadConfig(join(root, "examples", "kubernetes", "holdfast.yaml"));
  expect(topologies[0]?.providers?.map(({ kind }) => kind)).toEqual(["kubernetes", "consul"]);
});
