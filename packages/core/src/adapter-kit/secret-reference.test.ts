import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { isProvisioningError, ProvisioningError } from "../errors/provisioning-error.ts";
import { resolveSecret, secretReferenceSchema, type SecretReference } from "./secret-reference.ts";
import { toValidationProblems, type ValidationProblem } from "../errors/validation-problem.ts";

const schemas = {
  plain: z.strictObject({ token: secretReferenceSchema }),
  optional: z.strictObject({ token: secretReferenceSchema.optional() }),
  compiled: z.compile(z.strictObject({ token: secretReferenceSchema })),
};

function problemsOf(schema: z.ZodType, input: unknown): readonly ValidationProblem[] {
  const result = schema.safeParse(input);
  return result.success ? [] : toValidationProblems(result.error.issues, input);
}

describe.each(Object.entries(schemas))("secretReferenceSchema (%s)", (_, schema) => {
  test.each<SecretReference>([{ env: "TOKEN" }, { file: "/run/secrets/token" }])("accepts %j", (token) => {
    expect(schema.parse({ token })).toEqual({ token });
  });

  test.each(["hunter2", "", "x".repeat(10_000), 87_654_321])(
    "refuses a literal secret and does not quote it",
    (token) => {
      const problems = problemsOf(schema, { token });
      // R1.6
      expect(problems).toEqual([
        {
          path: "token",
          expected: 'a reference, { "env": NAME } or { "file": PATH }, not the secret itself',
          got: expect.stringMatching(/^a (number|string of \d+ characters)$/),
          code: "VALIDATION_LITERAL_SECRET",
        },
      ]);
      if (token !== "") expect(JSON.stringify(problems)).not.toContain(String(token));
      expect(JSON.stringify(schema.safeParse({ token }).error)).not.toMatch(/hunter2|87654321|xxxx/);
    },
  );

  test.each([null, true, [], {}, { env: 5 }, { env: "A", file: "b" }, { value: "hunter2" }])(
    "describes the form of a reference in place of %j",
    (token) => {
      const problems = problemsOf(schema, { token });
      expect(problems).toEqual([
        expect.objectContaining({
          path: "token",
          expected: 'a reference, { "env": NAME } or { "file": PATH }',
          code: "VALIDATION_MALFORMED",
        }),
      ]);
      expect(JSON.stringify(problems)).not.toContain("hunter2");
    },
  );
});

test("a missing secret is a missing field, unless it is optional", () => {
  expect(problemsOf(schemas.plain, {})).toMatchObject([{ path: "token", code: "VALIDATION_MISSING_FIELD" }]);
  expect(problemsOf(schemas.optional, {})).toEqual([]);
});

async function failureOf(
  reference: SecretReference,
  options?: Parameters<typeof resolveSecret>[1],
): Promise<unknown> {
  return resolveSecret(reference, options).then(
    () => "resolved",
    (error: unknown) => error,
  );
}

function unavailable(text: string): unknown {
  return expect.objectContaining({
    code: "CONNECTIVITY_SECRET_UNAVAILABLE",
    message: expect.stringContaining(text),
  });
}

describe("resolveSecret", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-secret-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("reads the environment each time", async () => {
    const env = { TOKEN: "first" };
    await expect(resolveSecret({ env: "TOKEN" }, { env })).resolves.toBe("first");
    env.TOKEN = "second";
    await expect(resolveSecret({ env: "TOKEN" }, { env })).resolves.toBe("second");
  });

  // R1.6
  test.each(["abc\n", " abc", "\uFEFFabc\r\n", "\tabc\t"])(
    "removes the white space around %j in the environment, as in a file",
    async (TOK) => {
      await expect(resolveSecret({ env: "TOK" }, { env: { TOK } })).resolves.toBe("abc");
      const file = join(folder, "padded");
      await writeFile(file, TOK);
      await expect(resolveSecret({ file })).resolves.toBe("abc");
    },
  );

  // R1.4, R1.6
  test.each(["hunter2\nmore", "hunter2\0more", "hunter2\u007fmore", "hunter2\rmore", "hunter2\tmore"])(
    "refuses %j, which no header can carry, without quoting it",
    async (TOK) => {
      const file = join(folder, "two-lines");
      await writeFile(file, TOK);
      for (const reference of [{ env: "TOK" }, { file }]) {
        const error = await failureOf(reference, { env: { TOK } });
        expect(error).toEqual(unavailable(Object.values(reference)[0]!));
        expect(String(error)).toContain("control character");
        expect(String(error)).not.toContain("hunter2");
      }
      await expect(resolveSecret({ env: "TOK" }, { env: { TOK }, form: "text" })).resolves.toBe(TOK);
    },
  );

  test("reads this process's environment by default", async () => {
    await expect(resolveSecret({ env: "PATH" })).resolves.toBe(process.env["PATH"]);
  });

  test("reads a file each time, without surrounding white space", async () => {
    const file = join(folder, "rotated");
    await writeFile(file, " first \n");
    await expect(resolveSecret({ file })).resolves.toBe("first");
    await writeFile(file, "second\r\n");
    await expect(resolveSecret({ file })).resolves.toBe("second");
  });

  test("names what is missing or empty", async () => {
    expect(await failureOf({ env: "NOT_SET" }, { env: {} })).toEqual(unavailable('"NOT_SET" is not set'));
    expect(await failureOf({ env: "EMPTY" }, { env: { EMPTY: "" } })).toEqual(
      unavailable('"EMPTY" is not set'),
    );
    expect(await failureOf({ env: "BLANK" }, { env: { BLANK: " \t\r\n" } })).toEqual(
      unavailable('"BLANK" is empty'),
    );
    expect(await failureOf({ file: join(folder, "gone") })).toEqual(
      unavailable('gone" could not be read: it does not exist'),
    );
    expect(await failureOf({ file: folder })).toEqual(unavailable("could not be read: it is a folder"));
    const empty = join(folder, "empty");
    await writeFile(empty, "\n");
    expect(await failureOf({ file: empty })).toEqual(unavailable('empty" is empty'));
  });

  test("rejects with the signal's own reason", async () => {
    const reason = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");
    const file = join(folder, "slow");
    await writeFile(file, "x");
    expect(await failureOf({ file }, { signal: AbortSignal.abort(reason) })).toBe(reason);
    const aborted = await failureOf({ file }, { signal: AbortSignal.abort() });
    expect(isProvisioningError(aborted) && aborted.code).toBe("LIFECYCLE_ABORTED");
  });
});

test("a reference is one of two", () => {
  expectTypeOf<SecretReference>().toEqualTypeOf<{ readonly env: string } | { readonly file: string }>();
  expectTypeOf<string>().not.toExtend<SecretReference>();
});
