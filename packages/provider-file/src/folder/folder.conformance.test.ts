import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import type { ClusterNodeInput } from "@holdfast/core";
import { describe, test } from "vitest";
import { CountingClock } from "@holdfast/testing";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { createTestFolder } from "../../test/create-test-folder.ts";
import { OpenResources } from "../../test/open-resources.ts";
import { toJson } from "../../test/topology-json.ts";
import { WedgedThreadPool } from "../../test/wedged-thread-pool.ts";

// R2.1 R2.2 R8.4
providerConformance({ describe, test, harness: { setup } });

function setup(): ProviderSetup {
  const folder = new TemporaryFolder();
  const clock = new CountingClock();
  const open = new OpenResources(folder.path);
  const heartbeatMs = 150;
  const path = folder.at("members");
  const provider = createTestFolder({ path, settleMs: 30, heartbeatMs, clock });
  let published: readonly ClusterNodeInput[] = [];
  let wedged: WedgedThreadPool | undefined;
  // One file for each member, of which the later one counts if two have the same id.
  const publish = (nodes: readonly ClusterNodeInput[]): void => {
    published = nodes;
    mkdirSync(path, { recursive: true });
    const names = new Set(nodes.map(({ id }) => `${id}.json`));
    for (const node of nodes) folder.replace(`members/${node.id}.json`, toJson([node]));
    for (const name of readdirSync(path)) if (!names.has(name)) rmSync(folder.at(`members/${name}`));
  };
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 5_000 }),
    patienceMs: 10_000,
    publish,
    breakBackend() {
      mkdirSync(path, { recursive: true });
      for (const name of ["broken.json", ...readdirSync(path)]) folder.write(`members/${name}`, "{");
    },
    endStream: () => rmSync(path, { recursive: true }),
    hangBackend() {
      wedged = new WedgedThreadPool();
    },
    async repairBackend() {
      await wedged?.[Symbol.asyncDispose]();
      wedged = undefined;
      publish(published);
    },
    countOpen: () => open.count + clock.pendingTimers,
    async teardown() {
      await wedged?.[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
      open[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
}
