import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPemFile } from "./read-pem-file.ts";

const { signal } = new AbortController();
let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pem-"));
  path = join(folder, "ca.pem");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("reads the current content of the file", async () => {
  writeFileSync(path, "one");
  expect((await readPemFile(path, signal)).toString()).toBe("one");
  writeFileSync(path, "two");
  expect((await readPemFile(path, signal)).toString()).toBe("two");
});

test("a file that is missing or too long leads to CONNECTIVITY_TLS with its name", async () => {
  await expect(readPemFile(path, signal)).rejects.toMatchObject({
    code: "CONNECTIVITY_TLS",
    details: { file: path },
  });
  writeFileSync(path, "");
  truncateSync(path, 4_194_305);
  await expect(readPemFile(path, signal)).rejects.toMatchObject({
    code: "CONNECTIVITY_TLS",
    details: { file: path, maxBytes: 4_194_304 },
  });
});

test("an aborted signal ends the read", async () => {
  writeFileSync(path, "one");
  await expect(readPemFile(path, AbortSignal.abort())).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
});
