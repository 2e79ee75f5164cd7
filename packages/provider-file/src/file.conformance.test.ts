import { unlinkSync } from "node:fs";
import { createRealTime, providerConformance, type ProviderSetup } from "@holdfast/conformance";
import type { ClusterNodeInput } from "@holdfast/core";
import { describe, inject, test } from "vitest";
import type { FileFormat } from "./file-params.ts";
import { CountingClock } from "@holdfast/testing";
import { createTestProvider } from "../test/create-test-provider.ts";
import { OpenResources } from "../test/open-resources.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { toJson } from "../test/topology-json.ts";
import { WedgedThreadPool } from "../test/wedged-thread-pool.ts";

const formats = ["json", "yaml"] as const;

/** The formats differ only in the parser, whose own tests cover both. */
describe.each(inject("isLong") ? formats : (["json"] as const))("a file provider of a %s file", (format) => {
  // R2.1 R2.2
  providerConformance({ describe, test, harness: { setup: () => setUp(format) } });
});

function setUp(format: FileFormat): ProviderSetup {
  const folder = new TemporaryFolder();
  const name = `topology.${format}`;
  const clock = new CountingClock();
  const open = new OpenResources(folder.path);
  const heartbeatMs = 150;
  const provider = createTestProvider({ path: folder.at(name), settleMs: 30, heartbeatMs, clock });
  let published: readonly ClusterNodeInput[] = [];
  let wedged: WedgedThreadPool | undefined;
  // JSON is also YAML. The file is written in place, because that is harder to follow.
  const publish = (nodes: readonly ClusterNodeInput[]): void => {
    published = nodes;
    folder.write(name, toJson(nodes));
  };
  return {
    provider,
    heartbeatMs,
    time: createRealTime({ slackMs: 5_000 }),
    patienceMs: 10_000,
    publish,
    breakBackend: () => void folder.write(name, '{ "members": [{}] }'),
    endStream: () => unlinkSync(folder.at(name)),
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
