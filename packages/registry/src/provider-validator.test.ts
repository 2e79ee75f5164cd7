import { inspect } from "node:util";
import { ProvisioningError, type AnyProviderAdapter } from "@holdfast/core";
import { secretReferenceSchema } from "@holdfast/core/adapter";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ProviderValidator } from "./provider-validator.ts";
import { createScriptedAdapter } from "../test/scripted-adapter.ts";

const validator = new ProviderValidator({ adapters: [createScriptedAdapter()] });
const good = { id: "a", kind: "scripted", priority: 1, params: { path: "/x" } };

/** The error, and all of its text that could be printed. */
function failureOf(call: () => unknown): { error: ProvisioningError; text: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof ProvisioningError) {
      return { error, text: JSON.stringify(error) + inspect(error, { depth: null, showHidden: true }) };
    }
    throw error;
  }
  throw new Error("it passed");
}

function adapterOf(params: z.ZodType, kind = "odd"): AnyProviderAdapter {
  return { ...createScriptedAdapter(), kind, params };
}

describe("a valid descriptor", () => {
  test("is kept as submitted, and its params are returned as parsed by the schema", () => {
    const { descriptor, params } = validator.validate(good);

    expect(descriptor).toEqual(good);
    expect(params).toEqual({ path: "/x", pollMs: 1_000 });
  });

  test("is a frozen copy", () => {
    const params = { path: "/x", token: { env: "TOKEN" } };
    const { descriptor } = validator.validate({ ...good, params });
    params.token.env = "OTHER";

    expect(descriptor.params).toEqual({ path: "/x", token: { env: "TOKEN" } });
    expect(Object.isFrozen(descriptor) && Object.isFrozen(descriptor.params)).toBe(true);
    expect(Object.isFrozen(Reflect.get(Object(descriptor.params), "token"))).toBe(true);
  });

  test("may hold references to secrets", () => {
    const params = { path: "/x", token: { env: "CONSUL_TOKEN" } };

    expect(validator.validate({ ...good, params }).descriptor.params).toEqual(params);
  });
});

describe("problems of one descriptor", () => {
  test("every problem of the envelope and of the params is named, with path, expected and got", () => {
    // R1.1
    const { error } = failureOf(() =>
      validator.validate({
        id: "not an id!",
        kind: "scripted",
        params: { pollMs: "x", colour: "red" },
        extra: 1,
      }),
    );

    expect(error.code).toBe("VALIDATION_MISSING_FIELD");
    expect(error.details["problems"]).toEqual(
      expect.arrayContaining([
        {
          path: "id",
          expected: expect.stringContaining("string matching"),
          got: "a string of 10 characters",
          code: "VALIDATION_MALFORMED",
        },
        { path: "priority", expected: "number", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
        { path: "extra", expected: "no such field", got: "a number", code: "VALIDATION_MALFORMED" },
        { path: "params.path", expected: "string", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
        {
          path: "params.pollMs",
          expected: expect.any(String),
          got: "a string of 1 characters",
          code: "VALIDATION_MALFORMED",
        },
        {
          path: "params.colour",
          expected: "no such field",
          got: "a string of 3 characters",
          code: "VALIDATION_MALFORMED",
        },
      ]),
    );
    expect(error.details["problems"]).toHaveLength(6);
    expect(error.message).toContain("params.path: expected string, got nothing");
  });

  test.each<[string, unknown, string, string]>([
    ["nothing at all", undefined, "VALIDATION_MISSING_FIELD", ""],
    ["null", null, "VALIDATION_MALFORMED", ""],
    ["a text", "a", "VALIDATION_MALFORMED", ""],
    ["a list", [], "VALIDATION_MALFORMED", ""],
    ["what JSON cannot say", { ...good, params: { path: 1n } }, "VALIDATION_MALFORMED", ""],
    ["an empty kind", { ...good, kind: "" }, "VALIDATION_MALFORMED", "kind"],
    ["no params", { ...good, params: undefined }, "VALIDATION_MISSING_FIELD", "params"],
    ["params in a list", { ...good, params: [] }, "VALIDATION_MALFORMED", "params"],
    ["the registry's own verdict", { ...good, disabled: {} }, "VALIDATION_MALFORMED", "disabled"],
    ["a priority that is not an integer", { ...good, priority: 1.5 }, "VALIDATION_MALFORMED", "priority"],
  ])("%s is refused", (_, input, code, path) => {
    const { error } = failureOf(() => validator.validate(input));

    expect(error.details["problems"]).toEqual([expect.objectContaining({ code, path })]);
    expect(error.code).toBe(code);
  });

  test("an unknown kind is refused, and the error names the known kinds", () => {
    // R1.1
    const both = new ProviderValidator({ adapters: [createScriptedAdapter(), adapterOf(z.unknown())] });
    const { error } = failureOf(() => both.validate({ ...good, kind: "consul" }));

    expect(error.code).toBe("VALIDATION_UNKNOWN_KIND");
    expect(error.details["problems"]).toEqual([
      { path: "kind", expected: '"odd" or "scripted"', got: '"consul"', code: "VALIDATION_UNKNOWN_KIND" },
    ]);
  });

  test("a value that is cyclic or nested too deeply is refused without traversing it", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    let deep: unknown = "x";
    for (let i = 0; i < 5_000; i++) deep = { deep };
    const thrower = {
      get params(): never {
        throw new Error("hunter2");
      },
    };

    for (const input of [loop, { ...good, params: { deep } }, thrower]) {
      const { error, text } = failureOf(() => validator.validate(input));
      expect(error.code).toBe("VALIDATION_MALFORMED");
      expect(text).not.toContain("hunter2");
    }
  });

  test("a schema that throws is a problem of the params, and its error is not quoted", () => {
    const schema = z.looseObject({}).refine((params) => {
      throw new Error(`cannot read ${JSON.stringify(params)}`);
    });
    const odd = new ProviderValidator({ adapters: [adapterOf(schema)] });
    const { error, text } = failureOf(() => odd.validate({ ...good, kind: "odd", params: { x: "hunter2" } }));

    expect(error.details["problems"]).toEqual([expect.objectContaining({ path: "params" })]);
    expect(text).not.toContain("hunter2");
  });
});

describe("a whole set", () => {
  test("every problem of every entry is named, with the index of the entry", () => {
    // R1.1
    const { error } = failureOf(() =>
      validator.validateAll([
        good,
        { ...good, id: "b", params: {} },
        { ...good, id: "c", kind: "nope" },
        "x",
        { ...good, id: "d", params: { path: "", token: "hunter2" } },
      ]),
    );

    expect(error.code).toBe("VALIDATION_LITERAL_SECRET");
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "providers[1].params.path", code: "VALIDATION_MISSING_FIELD" }),
      expect.objectContaining({ path: "providers[2].kind", code: "VALIDATION_UNKNOWN_KIND" }),
      expect.objectContaining({ path: "providers[3]", code: "VALIDATION_MALFORMED" }),
      expect.objectContaining({ path: "providers[4].params.token", code: "VALIDATION_LITERAL_SECRET" }),
      expect.objectContaining({ path: "providers[4].params.path", code: "VALIDATION_MALFORMED" }),
    ]);
  });

  test("every repeated id is named", () => {
    const { error } = failureOf(() => validator.validateAll([good, { ...good, id: "b" }, good, good]));

    expect(error.code).toBe("VALIDATION_DUPLICATE_ID");
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "providers[2].id", got: '"a"', code: "VALIDATION_DUPLICATE_ID" }),
      expect.objectContaining({ path: "providers[3].id", got: '"a"', code: "VALIDATION_DUPLICATE_ID" }),
    ]);
  });

  test.each([[undefined], [null], ["x"], [{}]])("%j is not a set", (input) => {
    expect(failureOf(() => validator.validateAll(input)).error.details["problems"]).toEqual([
      expect.objectContaining({ path: "providers", expected: "an array" }),
    ]);
  });

  test("holes in the list count as missing entries", () => {
    // oxlint-disable-next-line no-sparse-arrays -- the test needs a sparse array
    const { error } = failureOf(() => validator.validateAll([good, , { ...good, id: "b" }]));

    expect(error.details["problems"]).toEqual([expect.objectContaining({ path: "providers[1]" })]);
  });
});

describe("secrets", () => {
  const canary = "c4naryHunter2";

  test.each<[string, unknown]>([
    ["where the schema wants a reference", { ...good, params: { path: "/x", token: canary } }],
    ["in a param that the schema does not know", { ...good, params: { path: "/x", api_key: canary } }],
    ["in a param of any name, as a URL", { ...good, params: { path: `http://u:${canary}@h/` } }],
    ["in the envelope", { ...good, password: canary }],
    ["with an unknown kind", { ...good, kind: "nope", params: { secret: canary } }],
    ["in the name of a param", { ...good, params: { path: "/x", [`token=${canary}`]: 1 } }],
    ["as the id", { ...good, id: `http://u:${canary}@h/` }],
    ["as the kind", { ...good, kind: `Bearer ${canary}` }],
  ])("a literal one %s is refused and not repeated", (_, input) => {
    // R1.6
    for (const call of [() => validator.validate(input), () => validator.validateAll([good, input])]) {
      const { error, text } = failureOf(call);
      expect(error.code).toBe("VALIDATION_LITERAL_SECRET");
      expect(text).not.toContain(canary);
    }
  });

  test("a literal secret is one problem, also where the schema reports it too", () => {
    const { error } = failureOf(() => validator.validate({ ...good, params: { path: "/x", token: canary } }));

    expect(error.details["problems"]).toEqual([
      {
        path: "params.token",
        expected: 'a reference, { "env": NAME } or { "file": PATH }, not the secret itself',
        got: "a string of 13 characters",
        code: "VALIDATION_LITERAL_SECRET",
      },
    ]);
  });

  test("a secret is not quoted by a schema that quotes its input", () => {
    // R1.6
    const quoting = z.looseObject({}).superRefine((value, context) => {
      context.addIssue({ code: "custom", message: `something better than ${JSON.stringify(value)}` });
    });
    const input = { id: "a", kind: "odd", params: { headers: [{ name: "X-Token", value: "hunter2" }] } };
    const { error, text } = failureOf(() =>
      new ProviderValidator({ adapters: [adapterOf(quoting)] }).validate(input),
    );

    expect(text).not.toContain("hunter2");
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "params.headers[0].value", code: "VALIDATION_LITERAL_SECRET" }),
      expect.objectContaining({ path: "priority" }),
    ]);
  });

  test("a secret under an inconspicuous name is refused where the schema requires a reference", () => {
    // R1.6
    const schema = z.strictObject({ acl: secretReferenceSchema });
    const odd = new ProviderValidator({ adapters: [adapterOf(schema)] });
    const { error, text } = failureOf(() => odd.validate({ ...good, kind: "odd", params: { acl: canary } }));

    expect(error.code).toBe("VALIDATION_LITERAL_SECRET");
    expect(text).not.toContain(canary);
  });
});

test("any input is either accepted or refused with an error that quotes no text of it", () => {
  // A text with a space is never a well-formed id or kind, which an error may quote.
  const text = fc.string().map((suffix) => `ZQX ${suffix}`);
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      text,
      fc.integer(),
      fc.constant(null),
      fc.array(tie("value")),
      fc.dictionary(fc.constantFrom("path", "token", "pollMs", "id", "x"), tie("value")),
    ),
  })).value;
  const input = fc.oneof(
    json,
    fc.record({
      id: fc.oneof(json, fc.constant("a")),
      kind: fc.oneof(json, fc.constant("scripted")),
      priority: fc.oneof(json, fc.constant(1)),
      params: fc.oneof(json, fc.record({ path: text, pollMs: json }, { requiredKeys: [] })),
    }),
  );
  fc.assert(
    fc.property(input, (submitted) => {
      const { problems, valid } = validator.check(submitted);
      expect(valid === undefined).toBe(problems.length > 0);
      expect(inspect(problems, { depth: null })).not.toContain("ZQX");
      if (valid !== undefined) expect(validator.check(valid.descriptor).valid).toEqual(valid);
    }),
  );
});

test("two adapters of one kind are refused", () => {
  expect(
    () => new ProviderValidator({ adapters: [createScriptedAdapter(), createScriptedAdapter()] }),
  ).toThrow(expect.objectContaining({ code: "VALIDATION_DUPLICATE_ID" }));
});
