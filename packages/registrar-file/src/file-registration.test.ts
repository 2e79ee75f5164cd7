import { linkSync, mkdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { topologyFileSchema } from "@holdfast/provider-file";
import { RegistrarFolder } from "../test/registrar-folder.ts";
import { fileRegistrar } from "./file-registrar.ts";

const { signal } = new AbortController();

// R8.4
describe("the entry of a file registrar", () => {
  test("is a topology file with a lease", async () => {
    await using folder = new RegistrarFolder();
    await folder.open({ tags: ["blue"], weight: 2 }).register({ signal });
    expect(folder.names()).toEqual(["a.json"]);
    const { lease, ...topology } = folder.read("a.json") as Record<string, unknown>;
    expect(topologyFileSchema.parse(topology)).toEqual({
      version: 1,
      members: [{ id: "a", host: "10.0.0.1", port: 7_001, weight: 2, tags: ["blue"], metadata: {} }],
    });
    expect(lease).toEqual({ ttlMs: 1_000, owner: expect.any(String), address: "10.0.0.1:7001" });
  });

  test("a beat only touches it", async () => {
    await using folder = new RegistrarFolder();
    const registration = folder.open();
    await registration.register({ signal });
    const before = statSync(`${folder.path}/a.json`);
    await folder.clock.advance(300);
    await registration.beat({ signal });
    const after = statSync(`${folder.path}/a.json`);
    expect(after.ino).toBe(before.ino);
    expect(after.mtimeMs).toBe(folder.clock.now());
  });

  test("lists no member while it drains, and keeps its id", async () => {
    await using folder = new RegistrarFolder();
    const registration = folder.open();
    await registration.register({ signal });
    await registration.drain({ signal });
    expect(folder.read("a.json")).toMatchObject({ members: [], lease: { address: "10.0.0.1:7001" } });
    const other = folder.open({ port: 8_001 });
    await expect(other.register({ signal })).rejects.toMatchObject({ code: "VALIDATION_DUPLICATE_ID" });
  });

  test("is replaced at once by a process with the same address, which can only be its successor", async () => {
    await using folder = new RegistrarFolder();
    for (const isDraining of [false, true]) {
      const first = folder.open();
      await first.register({ signal });
      if (isDraining) await first.drain({ signal });
      const second = folder.open();
      await second.register({ signal });
      await expect(first.beat({ signal })).rejects.toMatchObject({ code: "LIFECYCLE_REGISTRATION_LOST" });
      // If both live after all, the older one does not take it back.
      await expect(first.register({ signal })).rejects.toMatchObject({ code: "VALIDATION_DUPLICATE_ID" });
      await first.leave({ signal });
      expect(folder.read("a.json")).toMatchObject({ members: [{ id: "a" }] });
      await second.leave({ signal });
    }
  });

  test("is taken over when it was not touched for its time to live, whatever the wall clock does", async () => {
    await using folder = new RegistrarFolder();
    await folder.open().register({ signal });
    const second = folder.open({ port: 8_001 });
    folder.clock.jump(-3_600_000);
    await expect(second.register({ signal })).rejects.toMatchObject({ code: "VALIDATION_DUPLICATE_ID" });
    await folder.clock.advance(999);
    await expect(second.register({ signal })).rejects.toMatchObject({ code: "VALIDATION_DUPLICATE_ID" });
    await folder.clock.advance(1);
    await second.register({ signal });
    expect(folder.read("a.json")).toMatchObject({ members: [{ port: 8_001 }] });
  });

  test("of several processes that start at once, each has its own, and one of those with the same id wins", async () => {
    await using folder = new RegistrarFolder();
    const ids = Array.from({ length: 20 }, (_, index) => `node-${index}`);
    await Promise.all(ids.map((id, index) => folder.open({ id, port: 8_000 + index }).register({ signal })));
    expect(folder.names()).toEqual(ids.map((id) => `${id}.json`).sort());
    const rivals = [1, 2, 3, 4, 5].map((port) => folder.open({ id: "rival", port }).register({ signal }));
    const outcomes = await Promise.allSettled(rivals);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected")
        expect(outcome.reason).toMatchObject({ code: "VALIDATION_DUPLICATE_ID" });
  });

  test("a file that no registrar has written is neither replaced nor removed", async () => {
    await using folder = new RegistrarFolder();
    mkdirSync(folder.path);
    for (const content of [
      '{"members": []}',
      "not json",
      '{"lease": {"ttlMs": -1, "owner": "x", "address": "y"}}',
    ]) {
      writeFileSync(`${folder.path}/a.json`, content);
      const registration = folder.open();
      await expect(registration.register({ signal })).rejects.toMatchObject({
        code: "VALIDATION_DUPLICATE_ID",
      });
      await registration.leave({ signal });
      expect(folder.names()).toEqual(["a.json"]);
    }
  });

  test("is reported as lost when another file is in its place, and never prolongs that file", async () => {
    await using folder = new RegistrarFolder();
    const registration = folder.open();
    await registration.register({ signal });
    const path = join(folder.path, "a.json");
    writeFileSync(`${path}.new`, "{}");
    renameSync(`${path}.new`, path);
    const before = statSync(path).mtimeMs;
    await expect(registration.beat({ signal })).rejects.toMatchObject({
      code: "LIFECYCLE_REGISTRATION_LOST",
    });
    await expect(registration.drain({ signal })).rejects.toMatchObject({
      code: "LIFECYCLE_REGISTRATION_LOST",
    });
    expect(statSync(path).mtimeMs).toBe(before);
  });
});

// R8.4
describe("what killed processes leave behind", () => {
  test("is removed after ten times their time to live, by any process of the folder", async () => {
    await using folder = new RegistrarFolder();
    await folder.open({ id: "dead" }).register({ signal });
    writeFileSync(`${folder.path}/.dead.json.0a1b.tmp`, "{");
    writeFileSync(`${folder.path}/static.json`, '{"members": []}');
    writeFileSync(`${folder.path}/notes.txt`, "");
    const living = folder.open({ id: "living" });
    await living.register({ signal });
    for (let passed = 0; passed < 9_500; passed += 300) {
      await folder.clock.advance(300);
      await living.beat({ signal });
    }
    expect(folder.names()).toContain("dead.json");
    for (let passed = 0; passed < 3_000; passed += 300) {
      await folder.clock.advance(300);
      await living.beat({ signal });
    }
    expect(folder.names()).toEqual(["living.json", "notes.txt", "static.json"]);
  });

  test("a jump of the wall clock removes nothing", async () => {
    await using folder = new RegistrarFolder();
    const both = ["one", "two"].map((id) => folder.open({ id }));
    for (const registration of both) await registration.register({ signal });
    for (let round = 0; round < 20; round++) {
      folder.clock.jump(round % 2 === 0 ? 86_400_000 : -172_800_000);
      await folder.clock.advance(300);
      for (const registration of both) await registration.beat({ signal });
    }
    expect(folder.names()).toEqual(["one.json", "two.json"]);
  });
});

describe("failures of the file system", () => {
  test("have the code STORE_IO, and leave no temporary file", async () => {
    await using folder = new RegistrarFolder();
    mkdirSync(join(folder.path, "a.json"), { recursive: true });
    const registration = folder.open();
    // A folder in the place of the entry.
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "VALIDATION_DUPLICATE_ID",
    });
    rmSync(folder.path, { recursive: true });
    writeFileSync(folder.path, "not a folder");
    await expect(registration.register({ signal })).rejects.toMatchObject({
      code: "STORE_IO",
      message: expect.stringContaining(folder.path),
      details: { folder: folder.path, errno: "ENOTDIR" },
    });
    unlinkSync(folder.path);
    await registration.register({ signal });
    expect(folder.names()).toEqual(["a.json"]);
  });

  test("an entry that is linked elsewhere is still removed when it leaves", async () => {
    await using folder = new RegistrarFolder();
    const registration = folder.open();
    await registration.register({ signal });
    linkSync(`${folder.path}/a.json`, `${folder.path}/copy.txt`);
    await registration.leave({ signal });
    expect(folder.names()).toEqual(["copy.txt"]);
  });

  test("malformed parameters are refused", () => {
    for (const ttlMs of [0, 499, 3_600_001])
      expect(() => fileRegistrar({ folder: "x", ttlMs })).toThrow(
        expect.objectContaining({ code: "VALIDATION_MALFORMED" }),
      );
    expect(() => fileRegistrar({ folder: "" })).toThrow(
      expect.objectContaining({ code: "VALIDATION_MALFORMED" }),
    );
  });
});
