import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { systemClock, sleep, type ClusterProvider } from "@holdfast/core";
import { folder as folderProvider } from "@holdfast/provider-file";
import { eventually } from "@holdfast-apps/lab";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { AnnouncingProcess } from "./announcing-process.ts";

const TTL_MS = 1_500;
/** Slack for the scheduling of many processes on few cores. */
const SLACK_MS = 2_000;
const COUNT = inject("isLong") ? 20 : 6;

/** Records which members a reader of the folder saw, and when. */
class FolderReader implements AsyncDisposable {
  readonly #provider: ClusterProvider;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  readonly changes: { readonly at: number; readonly ids: readonly string[] }[] = [];

  constructor(path: string) {
    const adapter = folderProvider.createAdapter();
    const params = adapter.params.parse({ path, pollMs: 200 });
    const context = { clock: systemClock, random: () => 0.5, heartbeatMs: 3_000 };
    this.#provider = adapter.create({ id: "reader", kind: "folder", priority: 1, params }, context);
    this.#reading = this.#read();
  }

  get ids(): readonly string[] {
    return this.changes.at(-1)?.ids ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
    await this.#provider[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    for await (const event of this.#provider.watch({ signal: this.#stop.signal })) {
      if (event.type !== "snapshot") continue;
      const ids = Array.from(event.snapshot.members, ({ id }) => id);
      this.changes.push({ at: systemClock.now(), ids });
    }
  }
}

// R8.4: real processes, which share nothing but a folder.
describe("processes that announce themselves in a folder", () => {
  let temporary: TemporaryFolder;
  let reader: FolderReader;
  const processes: AnnouncingProcess[] = [];

  beforeEach(() => {
    temporary = new TemporaryFolder();
    reader = new FolderReader(temporary.path);
  });
  afterEach(async () => {
    for (const each of processes.splice(0)) await each[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
    temporary[Symbol.dispose]();
  });

  function start(id: string, { ttlMs = TTL_MS, port = 0, drainMs = 300 } = {}): AnnouncingProcess {
    const started = new AnnouncingProcess({
      kind: "file",
      params: { folder: temporary.path, ttlMs },
      self: { id, host: "127.0.0.1", port },
      options: { drainMs, maxRetryMs: 500 },
    });
    processes.push(started);
    return started;
  }

  const lists = (...ids: readonly string[]) => eventually(() => expect(reader.ids).toEqual(ids.toSorted()));

  test("many that start at once are all listed, and those that are killed disappear within their time to live", async () => {
    // Twenty processes that start on two cores have no time to beat every half second.
    const ttlMs = inject("isLong") ? 6_000 : 3_000;
    const ids = Array.from({ length: COUNT }, (_, index) => `node-${index + 10}`);
    const started = ids.map((id) => start(id, { ttlMs }));
    await Promise.all(started.map((each) => each.until("registered")));
    await lists(...ids);
    const before = reader.changes.length;
    await sleep(ttlMs + SLACK_MS, { clock: systemClock });
    expect(reader.changes.slice(before)).toEqual([]);
    const [killed, survivors] = [ids.slice(0, COUNT / 2), ids.slice(COUNT / 2)];
    const killedAt = systemClock.now();
    for (const each of started.slice(0, COUNT / 2)) each.signal("SIGKILL");
    await lists(...survivors);
    expect(reader.changes.at(-1)!.at - killedAt).toBeLessThanOrEqual(ttlMs + SLACK_MS);
    // No survivor was ever missing.
    for (const change of reader.changes.slice(before))
      expect(change.ids.filter((id) => !killed.includes(id))).toEqual(survivors);
    for (const each of started.slice(COUNT / 2)) expect(each.types).toEqual(["started", "registered"]);
  });

  test("one that is suspended disappears within its time to live, and comes back by itself", async () => {
    const [suspended, other] = [start("a"), start("b")];
    await lists("a", "b");
    const suspendedAt = systemClock.now();
    suspended.signal("SIGSTOP");
    await lists("b");
    expect(systemClock.now() - suspendedAt).toBeLessThanOrEqual(TTL_MS + SLACK_MS);
    await sleep(TTL_MS, { clock: systemClock });
    suspended.signal("SIGCONT");
    await lists("a", "b");
    const { reason } = await suspended.until("lost");
    expect(reason).toMatchObject({ code: "LIFECYCLE_REGISTRATION_LOST" });
    expect(await suspended.until("registered", 2)).toMatchObject({ isAgain: true });
    expect(other.types).not.toContain("lost");
  });

  test("one whose event loop is blocked disappears within its time to live, and comes back by itself", async () => {
    const blocked = start("a");
    await lists("a");
    blocked.command(`block ${TTL_MS * 2}`);
    await lists();
    await lists("a");
    expect(await blocked.until("registered", 2)).toMatchObject({ isAgain: true });
  });

  test("SIGTERM takes it out at once, and the process ends by that signal after its server was closed", async () => {
    const leaving = start("a", { drainMs: 1_000 });
    start("b");
    await lists("a", "b");
    leaving.signal("SIGTERM");
    const draining = await leaving.until("draining");
    await lists("b");
    expect(await leaving.ended()).toEqual({ by: "SIGTERM", err: "" });
    expect(leaving.types).toEqual(["started", "registered", "draining", "finish", "left"]);
    const finish = leaving.lines.find(({ type }) => type === "finish")!;
    expect(finish.at - draining.at).toBeGreaterThanOrEqual(900);
    expect(reader.changes.at(-1)!.at).toBeLessThan(finish.at);
    expect(readdirSync(temporary.path)).toEqual(["b.json"]);
  });

  test("a second signal ends the wait", async () => {
    const leaving = start("a", { drainMs: 60_000 });
    await leaving.until("registered");
    leaving.signal("SIGTERM");
    await leaving.until("draining");
    leaving.signal("SIGINT");
    expect((await leaving.ended()).by).toBe("SIGTERM");
    expect(leaving.types.at(-1)).toBe("left");
  });

  test("leaving without a signal lets the process end by itself", async () => {
    const leaving = start("a");
    await leaving.until("registered");
    leaving.command("leave");
    expect(await leaving.ended()).toEqual({ by: 0, err: "" });
  });

  test("a killed process that is started again with the same address is listed without a gap", async () => {
    const first = start("a", { ttlMs: 10_000 });
    const { port } = await first.until("started");
    await lists("a");
    first.signal("SIGKILL");
    await first.ended();
    const second = start("a", { ttlMs: 10_000, port: Number(port) });
    await second.until("registered");
    expect(second.types).toEqual(["started", "registered"]);
    expect(reader.changes.map(({ ids }) => ids)).toEqual([[], ["a"]]);
  });
});
