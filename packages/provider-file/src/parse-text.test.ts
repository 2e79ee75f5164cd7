import { describe, expect, test } from "vitest";
import { decodeText } from "./decode-text.ts";
import { InvalidTopologyError } from "./invalid-topology-error.ts";
import { parseJson } from "./parse-json.ts";
import { parseYaml } from "./parse-yaml.ts";

const SECRET = "hunter2";

describe("parseJson", () => {
  test("reports line and column of a syntax error and quotes no text", () => {
    const { problems, position } = invalid(() => parseJson(`{\n  "a": ${SECRET}\n}`));
    expect(position).toEqual({ line: 2, column: 8 });
    expect(problems).toEqual([
      {
        path: "",
        expected: "valid JSON",
        got: "a syntax error at line 2, column 8",
        code: "VALIDATION_MALFORMED",
      },
    ]);
  });

  // R2.2
  test("refuses a repeated key with its position, and quotes no text", () => {
    const { problems, position } = invalid(() =>
      parseJson(`{"members":[{"id":"a"}],\n  "${SECRET}":1, "members":[],"${SECRET}":2}`),
    );
    expect(position).toEqual({ line: 2, column: 16 });
    expect(problems[0]).toMatchObject({
      expected: "keys that are unique in their object",
      got: "a repeated key at line 2, column 16",
    });
    expect(JSON.stringify(problems)).not.toContain(SECRET);
    expect(() => parseJson('{"a":{"__proto__":1,"__proto__":{}}}')).toThrow(InvalidTopologyError);
    expect(parseJson('{"a:b":"c:d\\":","e":{"a:b":":"}}')).toEqual({ "a:b": 'c:d":', e: { "a:b": ":" } });
  });

  test("the error of a truncated text is at its end", () => {
    const { problems } = invalid(() => parseJson('{"members": [{"id": "a"'));
    expect(problems[0]?.got).toBe("the end of the file at line 1, column 24");
  });
});

describe("parseJson of nested values", () => {
  test("refuses more than 64 levels before it parses", () => {
    const deepest = "[".repeat(32) + '{"a":'.repeat(32);
    expect(invalid(() => parseJson(`${deepest}[`)).problems[0]?.expected).toBe(
      "at most 64 levels of nesting",
    );
    expect(invalid(() => parseJson(deepest)).problems[0]?.expected).toBe("valid JSON");
  });

  test("does not count brackets in strings", () => {
    const text = JSON.stringify([`"\\${"[".repeat(100)}`, "\\", "[".repeat(100)]);
    expect(parseJson(text)).toEqual(JSON.parse(text));
    const flat = `[${"[],".repeat(100)}{}]`;
    expect(parseJson(flat)).toHaveLength(101);
  });
});

describe("parseYaml", () => {
  test.each([
    ["members:\n  - id: a\n   host: hunter2", 3, 1],
    ["members: [1\nhunter2: 2", 2, 1],
    ["a: 1\nb: 2\na: hunter2", 3, 1],
    ["\thunter2: x", 1, 1],
    ["--- a\n--- hunter2", 2, 1],
    ["? [a, hunter2]\n: b", 1, 3],
  ])("names line and column for %j and repeats none of the text", (text, line, column) => {
    const { problems, position } = invalid(() => parseYaml(text));
    expect(position).toEqual({ line, column });
    expect(problems[0]?.got).toContain(`at line ${line}, column ${column}`);
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  test("a merge key is refused with a hint what to write instead", () => {
    const { problems, position } = invalid(() =>
      parseYaml("base: &base {zone: a}\nmembers:\n  - <<: *base\n    id: a\n"),
    );
    expect(position).toEqual({ line: 3, column: 5 });
    expect(problems[0]?.got).toMatch(
      /^a merge key \(YAML 1.1\); write out its fields.* at line 3, column 5$/,
    );
    // In quotes it is an ordinary key.
    expect(parseYaml('"<<": a')).toEqual({ "<<": "a" });
  });

  test("an anchor may be shared by thousands of members", () => {
    const entries = Array.from({ length: 5_000 }, () => "  - *shared").join("\n");
    expect(parseYaml(`shared: &shared {a: b}\nlist:\n${entries}`)).toMatchObject({ shared: { a: "b" } });
  });

  test("a YAML bomb is refused", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++) {
      lines.push(`a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]`);
    }
    expect(invalid(() => parseYaml(lines.join("\n"))).problems[0]?.expected).toContain("10000 times");
  });

  test("an unresolved alias is refused without quoting its name", () => {
    expect(JSON.stringify(invalid(() => parseYaml(`a: *${SECRET}`)).problems)).not.toContain(SECRET);
  });

  test("very deep nesting is refused", () => {
    const { problems } = invalid(() => parseYaml(`members: ${"[".repeat(50_000)}`));
    expect(problems[0]?.got).toContain("RESOURCE_EXHAUSTION");
    expect(problems.length).toBeLessThanOrEqual(100);
  });

  test("a key named __proto__ is data and changes no prototype", () => {
    const parsed = parseYaml("__proto__: {polluted: true}");
    expect(Object.keys(Object(parsed))).toEqual(["__proto__"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

describe("decodeText", () => {
  test("drops a byte order mark", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toBe("{}");
  });

  test("refuses bytes that are not UTF-8", () => {
    expect(invalid(() => decodeText(Uint8Array.of(0x22, 0xff, 0x22))).problems[0]?.expected).toBe(
      "UTF-8 text",
    );
  });
});

function invalid(run: () => unknown): InvalidTopologyError {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidTopologyError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
