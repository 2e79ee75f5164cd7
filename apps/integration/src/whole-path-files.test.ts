import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CallJournal, RecordingPartition, RecordingPlacement, RecordingRemoting } from "@holdfast/testing";
import type { ClusterNodeInput, TopologyEvent } from "@holdfast/core";
import { file } from "@holdfast/provider-file";
import { ProvisioningService } from "@holdfast/provisioning";
import { FileProviderStore } from "@holdfast/store-file";
import { expect, test } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import { node } from "./service-harness.ts";

const topology = (...ids: readonly string[]) =>
  JSON.stringify({ members: ids.map((id): ClusterNodeInput => node(id)) });

const files = (id: string, priority: number, path: string) => ({
  id,
  kind: "file",
  priority,
  params: { path },
});

/** A service on real files and real time, with short timeouts. */
class FileService {
  readonly journal: CallJournal = new CallJournal();
  readonly placement: RecordingPlacement = new RecordingPlacement({
    journal: this.journal,
    leases: ({ snapshot }) =>
      [...snapshot.members].map(({ id }) => ({ resource: `shard of ${id}`, nodeId: id })),
  });
  readonly partition: RecordingPartition = new RecordingPartition({ journal: this.journal });
  readonly remoting: RecordingRemoting = new RecordingRemoting();
  readonly events: TopologyEvent[] = [];
  readonly service: ProvisioningService;

  constructor(folder: string) {
    const { placement, partition, remoting } = this;
    this.service = new ProvisioningService({
      adapters: [file.createAdapter({ baseDir: folder })],
      store: new FileProviderStore({ path: join(folder, "providers.jsonl") }),
      ports: { placement, partition, remoting },
      health: { backoffInitialMs: 50, backoffMaxMs: 100, cooldownMs: 300 },
    });
    this.service.topology.onEvent((event) => this.events.push(event));
  }

  /** Resolves with the first event, past or future, that the predicate accepts. */
  async until<E extends TopologyEvent>(isWanted: (event: TopologyEvent) => event is E): Promise<E> {
    const found = this.events.find(isWanted);
    if (found !== undefined) return found;
    const { promise, resolve } = Promise.withResolvers<E>();
    const stop = this.service.topology.onEvent((event) => isWanted(event) && resolve(event));
    return promise.finally(stop);
  }

  hasMembers(...ids: readonly string[]): Promise<Extract<TopologyEvent, { kind: "snapshot" }>> {
    return this.until(
      (event): event is Extract<TopologyEvent, { kind: "snapshot" }> =>
        event.kind === "snapshot" && [...event.snapshot.members].map(({ id }) => id).join() === ids.join(),
    );
  }
}

test("with files: register, watch, edit, fail over, fail back, shut down, restart", async () => {
  // R1.5 R2.1 R2.2 R2.5 R2.6 R3.3 R3.4 R4.1 R5.6
  await using folder = await emptyFolder();
  const primary = join(folder.path, "primary.json");
  await writeFile(primary, topology("a", "b"));
  await writeFile(join(folder.path, "backup.yaml"), "members:\n  - { id: a, host: a.local, port: 4000 }\n");

  const first = new FileService(folder.path);
  await first.service.start({
    providers: [files("primary", 2, "primary.json"), files("backup", 1, "backup.yaml")],
  });
  await first.hasMembers("a", "b");

  await writeFile(primary, topology("a", "b", "c"));
  const edited = await first.hasMembers("a", "b", "c");
  expect(edited.delta.added.map(({ id }) => id)).toEqual(["c"]);

  // Parsing YAML starts a thread. The backup can take over only after that.
  await first.until(
    (event): event is Extract<TopologyEvent, { kind: "health_changed" }> =>
      event.kind === "health_changed" && event.providerId === "backup" && event.to === "healthy",
  );
  await rename(primary, `${primary}.away`);
  const over = await first.until((event) => event.kind === "provider_changed");
  expect(over).toMatchObject({
    from: "primary",
    to: "backup",
    reason: "stream_ended",
    snapshotHash: edited.snapshot.hash,
  });
  expect(first.service.topology.terminations()[0]).toMatchObject({
    providerId: "primary",
    snapshotHash: edited.snapshot.hash,
  });
  await first.hasMembers("a");

  await rename(`${primary}.away`, primary);
  const back = await first.until(
    (event): event is Extract<TopologyEvent, { kind: "provider_changed" }> =>
      event.kind === "provider_changed" && event.reason === "recovered",
  );
  expect(back).toMatchObject({ from: "backup", to: "primary" });

  const { unfinished } = await first.service.stop();
  expect(unfinished).toEqual([]);
  // Each snapshot was sent to Partition, then to Placement, and then its leases to Partition.
  const calls = first.journal.lines().filter((line) => !line.includes("notify"));
  for (let i = 0; i < calls.length; i += 3) {
    const seqNo = calls[i]!.split(" ")[1];
    expect(calls.slice(i, i + 3)).toEqual([
      `partition.applySnapshot ${seqNo}`,
      `placement.applySnapshot ${seqNo}`,
      `partition.publishLeases ${seqNo}`,
    ]);
  }
  expect(first.remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`).slice(0, 3)).toEqual([
    "join a",
    "join b",
    "join c",
  ]);

  // With only the stored set, and without the file of the primary, the standby is active.
  await rm(primary);
  const second = new FileService(folder.path);
  await second.service.start();
  expect(second.service.registry.list().map(({ descriptor: { id } }) => id)).toEqual(["primary", "backup"]);
  await second.hasMembers("a");
  expect(second.service.topology.epoch > first.service.topology.epoch).toBe(true);
  await second.service.stop();
});
