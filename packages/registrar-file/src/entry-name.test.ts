import { describe, expect, test } from "vitest";
import { entryName, isEntryName, isTemporaryName, temporaryName } from "./entry-name.ts";

// R8.4
describe("entryName", () => {
  test("a short id of small letters is the name", () => {
    for (const id of ["a", "orders-1", "web_2.eu", "0"]) expect(entryName(id)).toBe(`${id}.json`);
  });

  test("ids that differ have names that differ, also without regard to case", () => {
    const ids = [
      "A",
      "a",
      "..",
      ".",
      ".a",
      "a/b",
      "a-b",
      "a b",
      "a:b",
      "é",
      "e\u0301",
      "a.",
      "a..b",
      "",
      "x".repeat(253),
    ];
    ids.push("X".repeat(253), `${"x".repeat(252)}y`, "../../etc/passwd", "con~0", "\0", "🌊");
    const names = ids.map((id) => entryName(id).toLowerCase());
    expect(new Set(names).size).toBe(ids.length);
    for (const name of names) {
      expect(name).toMatch(/^[a-z0-9_~.-]+\.json$/);
      expect(name.startsWith(".")).toBe(false);
      expect(name.length).toBeLessThan(200);
    }
  });

  test("names of entries and of their temporary files are told apart", () => {
    const name = entryName("A/b");
    const temporary = temporaryName(name, "0a-1b");
    expect([isEntryName(name), isTemporaryName(name)]).toEqual([true, false]);
    expect([isEntryName(temporary), isTemporaryName(temporary)]).toEqual([false, true]);
    expect(isTemporaryName(".swp.tmp")).toBe(false);
  });
});
