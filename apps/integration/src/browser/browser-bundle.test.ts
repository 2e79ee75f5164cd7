import { expect, test } from "vitest";
import { bundlePage } from "./bundle-page.ts";

// R7.4: what follows a daemon runs in a browser.
test("a page that follows a daemon bundles without any module of Node.js, and stays small", async () => {
  const { code, builtins } = await bundlePage("page.ts");
  expect(builtins).toEqual([]);
  // Minified, before compression. Most of it is zod.
  expect(code.length).toBeLessThan(230_000);
});

test("the provider for Node.js would be noticed", async () => {
  const { builtins } = await bundlePage("../../../../packages/client/src/node.ts");
  expect(builtins.length).toBeGreaterThan(0);
});
