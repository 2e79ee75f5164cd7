import { describe, expect, test } from "vitest";
import { InvalidTopologyError } from "./invalid-topology-error.ts";
import { createMembersReader } from "./members-reader.ts";

const SECRET = "hunter2";
const read = createMembersReader();

function problemsOf(file: unknown): readonly string[] {
  try {
    read(file);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidTopologyError)) throw error;
    expect(JSON.stringify(error.problems)).not.toContain(SECRET);
    return error.problems.map(({ path, expected }) => `${path}: ${expected}`);
  }
}

describe("createMembersReader", () => {
  test("returns the members sorted by id, from any order", () => {
    const members = ["b", "c", "a"].map((id) => ({ id, host: "10.0.0.1", port: 80 }));
    const nodes = read({ version: 1, members });
    expect(nodes.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  test("names every problem of every member and quotes no text", () => {
    const members = [
      { id: "a", host: "hunter2", port: "hunter2" },
      "hunter2",
      { id: "", host: "h", port: 70_000, tags: ["x", 7], metadata: { key: 1 }, colour: "hunter2" },
    ];
    const problems = problemsOf({ members });
    expect(problems).toEqual([
      "members[0].port: number",
      "members[1]: object",
      "members[2].id: at least 1 characters",
      "members[2].port: at most 65535",
      "members[2].tags[1]: string",
      "members[2].metadata.key: string",
      "members[2].colour: no such field",
    ]);
  });

  test("refuses what is not an object with members", () => {
    expect(problemsOf([])).toEqual([": object"]);
    expect(problemsOf(null)).toEqual([": object"]);
    expect(problemsOf({})).toEqual(["members: array"]);
    expect(problemsOf({ members: null })).toEqual(["members: array"]);
    expect(problemsOf({ version: 2, members: [], extra: 1 })).toEqual(["version: 1", "extra: no such field"]);
  });

  test("two members with the same id are a problem that names both positions", () => {
    const node = { id: "a", host: "10.0.0.1", port: 80 };
    expect(problemsOf({ members: [node, { ...node, id: "b" }, node] })).toEqual([
      "members[2].id: an id that no other member has",
    ]);
  });

  test("a key named __proto__ is a problem at any position", () => {
    const member =
      '{"id": "a", "host": "h", "port": 1, "metadata": {"__proto__": "x"}, "__proto__": {"tags": []}}';
    const problems = problemsOf(JSON.parse(`{"members": [${member}], "__proto__": {"version": 1}}`));
    expect(problems).toEqual(["__proto__: no such field"]);
    expect(problemsOf(JSON.parse(`{"members": [${member}]}`))).toEqual([
      "members[0].__proto__: no such field",
    ]);
    const inMetadata = '{"id": "a", "host": "h", "port": 1, "metadata": {"__proto__": "x"}}';
    expect(problemsOf(JSON.parse(`{"members": [${inMetadata}]}`))).toEqual([
      "members[0].metadata.__proto__: no such field",
    ]);
  });

  test("stops at a hundred problems", () => {
    expect(problemsOf({ members: Array.from({ length: 5_000 }, () => null) })).toHaveLength(100);
  });
});
