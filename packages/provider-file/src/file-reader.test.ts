import { mkdirSync, statSync, utimesSync } from "node:fs";
import { open } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FileReader } from "./file-reader.ts";
import { InvalidTopologyError } from "./invalid-topology-error.ts";
import { makeNamedPipe } from "../test/make-named-pipe.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("FileReader", () => {
  test("returns the bytes once, and again when they changed", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    const { read } = reading(folder.at("f"));
    const first = await read();
    expect(first?.bytes).toEqual(new TextEncoder().encode("one"));
    expect(await read()).toEqual({ digest: first?.digest });
    folder.write("f", "two");
    const second = await read();
    expect(second?.bytes).toEqual(new TextEncoder().encode("two"));
    expect(second?.digest).not.toBe(first?.digest);
  });

  test("detects an edit of the same size whose modification time was set back", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    const { read, clock } = reading(folder.at("f"));
    await read();
    clock.now = 10_000;
    await read();
    const { atime, mtime } = statSync(folder.at("f"));
    folder.write("f", "two");
    utimesSync(folder.at("f"), atime, mtime);
    expect((await read())?.bytes).toEqual(new TextEncoder().encode("two"));
  });

  test("detects an edit that does not change the time stamps, because they are coarse", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    await freezeStamps(folder.at("f"));
    const { read, clock } = reading(folder.at("f"));
    await read();
    folder.write("f", "two");
    clock.now = 1_999;
    expect((await read())?.bytes).toEqual(new TextEncoder().encode("two"));
    folder.write("f", "six");
    clock.now = 2_000;
    expect((await read())?.bytes).toEqual(new TextEncoder().encode("six"));
    // From here on the stamps of a later edit would differ, so they are trusted ...
    folder.write("f", "ten");
    expect((await read())?.bytes).toBeUndefined();
    // ... unless the file system reports a change of the file.
    expect((await read(true))?.bytes).toEqual(new TextEncoder().encode("ten"));
  });

  test("returns nothing for a file that was written to while it was read", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    const { read } = reading(folder.at("f"));
    await onRead(folder.at("f"), () => folder.write("f", "two, longer"));
    expect(await read()).toBeUndefined();
    expect((await read())?.bytes).toEqual(new TextEncoder().encode("two, longer"));
  });

  test("returns nothing for a file that was replaced while it was read", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "one");
    const { read } = reading(folder.at("f"));
    await onRead(folder.at("f"), () => folder.replace("f", "two"));
    expect(await read()).toBeUndefined();
    expect((await read())?.bytes).toEqual(new TextEncoder().encode("two"));
  });

  test("a folder and a named pipe are not regular files", async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.at("d"));
    makeNamedPipe(folder.at("p"));
    await expect(reading(folder.at("d")).read()).rejects.toMatchObject({ code: "EISDIR" });
    await expect(reading(folder.at("p")).read()).rejects.toMatchObject({ code: "EFTYPE" });
  });

  test("does not read a file that is too large", async () => {
    using folder = new TemporaryFolder();
    folder.write("f", "x".repeat(101));
    await expect(reading(folder.at("f")).read()).rejects.toThrow(InvalidTopologyError);
    folder.write("f", "x".repeat(100));
    await expect(reading(folder.at("f")).read()).resolves.toBeDefined();
  });
});

function reading(path: string) {
  const clock = { now: 0 };
  const reader = new FileReader({ path, maxBytes: 100, monotonic: () => clock.now });
  const { signal } = new AbortController();
  return { clock, read: (mustRead = false) => reader.read(mustRead, signal) };
}

/** Node does not export the class of file handles. */
async function handlePrototype(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  await using handle = await open(path);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every handle has this prototype
  return Object.getPrototypeOf(handle) as Awaited<ReturnType<typeof open>>;
}

/**
 * Makes every file handle report the current stats of this file from now on: simulates a file system with coarse time
 * stamps.
 */
async function freezeStamps(path: string): Promise<void> {
  const prototype = await handlePrototype(path);
  await using handle = await open(path);
  const frozen = await handle.stat({ bigint: true });
  vi.spyOn(prototype, "stat").mockResolvedValue(frozen);
}

/** Runs `action` after the first read of bytes. */
async function onRead(path: string, action: () => void): Promise<void> {
  const prototype = await handlePrototype(path);
  const read: unknown = Reflect.get(prototype, "read");
  if (typeof read !== "function") throw new Error("a file handle can't read");
  vi.spyOn(prototype, "read").mockImplementationOnce(async function (this: unknown, ...args: unknown[]) {
    const result: unknown = await Reflect.apply(read, this, args);
    action();
    return result as never;
  });
}
