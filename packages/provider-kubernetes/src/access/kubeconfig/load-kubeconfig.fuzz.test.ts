import { writeFileSync } from "node:fs";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  type Mutation,
  outcomeOf,
} from "@holdfast/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestProvider } from "../../../test/create-test-provider.ts";

const SECRET = "canary-7f3a9c-secret";
const BASE64 = Buffer.from(SECRET).toString("base64");
/** An address on which no server listens. */
const SERVER = "http://127.0.0.1:1";

let folder: TemporaryFolder;
beforeAll(() => {
  folder = new TemporaryFolder();
});
afterAll(() => folder[Symbol.dispose]());

const USERS: object[] = [
  { token: SECRET },
  { username: "admin", password: SECRET },
  { "client-certificate-data": BASE64, "client-key-data": BASE64 },
  { tokenFile: "token" },
  {
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "./no-such-plugin",
      args: [SECRET],
      env: [{ name: "TOKEN", value: SECRET }],
    },
  },
  {
    "auth-provider": {
      name: "oidc",
      config: {
        "client-id": "c",
        "client-secret": SECRET,
        "id-token": SECRET,
        "refresh-token": SECRET,
        "idp-issuer-url": SERVER,
      },
    },
  },
];
const JWT = `a.${Buffer.from(`{"exp":1,${SECRET}`).toString("base64url")}.c`;
USERS.push({
  "auth-provider": { name: "oidc", config: { "client-id": "c", "id-token": JWT, "refresh-token": SECRET } },
});

const CLUSTERS: readonly object[] = [
  { server: SERVER },
  { server: `http://admin:${SECRET}@127.0.0.1:1` },
  { server: `http://admin:${SECRET}@` },
  { server: "https://127.0.0.1:1", "certificate-authority-data": BASE64 },
  { server: SERVER, "proxy-url": `http://admin:${SECRET}@127.0.0.1:1` },
  { server: SERVER, "proxy-url": `http://admin:${SECRET}@` },
];

function kubeconfig(user: object, cluster: object): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "main",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "main", context: { cluster: "c", user: "u", namespace: "n" } }],
  };
}

async function tryOut(text: string | Uint8Array): Promise<void> {
  const file = folder.at("config");
  writeFileSync(file, text);
  writeFileSync(folder.at("token"), SECRET);
  await using provider = createTestProvider({ params: { namespace: undefined, kubeconfig: { file } } });
  const { signal } = new AbortController();
  const outcome = await outcomeOf(() => provider.probe({ signal }));
  if (!("error" in outcome)) throw new Error("no server listens there");
  expect(outcome.error.code).toMatch(/^CONNECTIVITY_/);
  expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
  assertUnpolluted();
}

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });

describe("a kubeconfig", () => {
  const sound = USERS.flatMap((user) => CLUSTERS.map((cluster) => kubeconfig(user, cluster)));

  test("with every kind of secret leads to errors without the secrets", async () => {
    for (const config of sound) await tryOut(JSON.stringify(config));
  });

  test("of any form is used or rejected, without revealing a secret", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sound),
        mutations(3),
        mutations(2),
        async (config, structure: readonly Mutation[], text: readonly Mutation[]) => {
          await tryOut(mutateBytes(Buffer.from(JSON.stringify(mutateJson(config, structure))), text));
        },
      ),
      { numRuns: fuzzRuns(150) },
    );
  });

  test("with any other content is rejected without its text", async () => {
    const bomb = [
      "a0: &a0 [x, x]",
      ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
    ];
    const garbage = [
      SECRET,
      `token: ${SECRET}: x`,
      `[${SECRET}`,
      `"${SECRET}`,
      `{a: &x [*x], ${SECRET}: 1}`,
      bomb.join("\n"),
      "[".repeat(100_000),
      `users: ${"[".repeat(100_000)}`,
      `${"- ".repeat(50_000)}a`,
      `!!js/function ${SECRET}`,
      `__proto__: {polluted: true}\ncurrent-context: {__proto__: {polluted: true}}`,
      "current-context: {toString: 1}",
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(SECRET)]),
      "",
    ];
    for (const text of garbage) await tryOut(text);
  });
});
