import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { expect, test } from "vitest";
import { loadConfig } from "@holdfast/cli";
import { root } from "@holdfast-apps/lab/packed-packages";

const fileOf = (...names: readonly string[]) => join(root, "examples", ...names);

// R1.1
test("the configuration of examples/kubernetes is valid", async () => {
  const { topologies } = await loadConfig(fileOf("kubernetes", "holdfast.yaml"));
  expect(topologies[0]?.providers?.map(({ kind }) => kind)).toEqual(["kubernetes", "consul"]);
});

// R7.2
test("examples/many-services discovers the services of two backends", async () => {
  const { topologies, discoveries } = await loadConfig(fileOf("many-services", "discovered.yaml"));
  expect(topologies.map(({ name }) => name)).toEqual(["orders"]);
  expect(discoveries.map(({ sources }) => sources.map(({ kind }) => kind))).toEqual([
    ["consul", "kubernetes"],
  ]);
});

// R7.1
test("examples/many-services names 30 services of two backends in less than 40 lines", async () => {
  const file = fileOf("many-services", "holdfast.yaml");
  const { topologies } = await loadConfig(file);
  expect(topologies).toHaveLength(30);
  expect(topologies.find(({ name }) => name === "orders")?.providers).toMatchObject([
    { id: "consul", kind: "consul", params: { service: "orders", nodeId: "service-id" } },
    { id: "shop", kind: "kubernetes", params: { service: "orders", namespace: "shop" } },
  ]);
  expect((await readFile(file, "utf8")).trimEnd().split("\n").length).toBeLessThan(40);
});

// R1.1
test("the configurations in the README of the command are valid", async () => {
  const readme = await readFile(join(root, "packages", "cli", "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  using folder = new TemporaryFolder();
  const names: (readonly string[])[] = [];
  for (const text of blocks) {
    const { topologies } = await loadConfig(folder.write("holdfast.yaml", text));
    names.push(topologies.map(({ name }) => name));
  }
  expect(names).toEqual([["default"], ["default"], ["orders", "billing", "reports"], []]);
});
