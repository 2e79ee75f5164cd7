import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import type { ClusterProvider } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestProvider } from "../../../test/create-test-provider.ts";
import { answer, FakeApiServer, toSlice } from "../../../test/fake-api-server.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { allTextOf, findSecret } from "@holdfast/testing";
import { failureOf, waitForHeartbeats, probe, waitForMembers, watch } from "../../../test/watched.ts";

const ENV = "HOLDFAST_TEST_KUBECONFIG";
const SECRET = "hunter2";

let fake: FakeApiServer;
let folder: TemporaryFolder;
const open: AsyncDisposable[] = [];

beforeEach(async () => {
  folder = new TemporaryFolder();
  fake = await FakeApiServer.listen();
  fake.secondMs = 60;
  open.push(fake);
  fake.put(toSlice("s", { endpoints: [{ addresses: ["10.0.0.1"], hostname: "a" }] }));
});

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
  vi.unstubAllEnvs();
});

function provide(params: Readonly<Record<string, unknown>>, heartbeatMs = 1_000): ClusterProvider {
  const provider = createTestProvider({ params: { namespace: undefined, ...params }, heartbeatMs });
  open.push(provider);
  return provider;
}

interface Written {
  readonly server?: string;
  readonly context?: object;
  readonly current?: string;
}

/** Returns a kubeconfig with one user. It is JSON, which is valid YAML. */
function kubeconfig(
  user: object,
  { server = fake.address, context = {}, current = "main" }: Written = {},
): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": current,
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "main", context: { cluster: "c", user: "u", ...context } },
      { name: "other", context: { cluster: "c", user: "u", namespace: "elsewhere" } },
      { name: "broken", context: { cluster: "gone", user: "u" } },
    ],
  });
}

function fromEnv(text: string): object {
  vi.stubEnv(ENV, text);
  return { env: ENV };
}

function write(name: string, text: string): string {
  const file = folder.at(name);
  writeFileSync(file, text);
  return file;
}

/** A plugin that prints the token in the file `name`, and counts its runs there. */
function plugin(token: string, status: object = {}): object {
  const code = `
    const fs = require("fs");
    fs.appendFileSync(process.argv[1], "x");
    const token = fs.readFileSync(process.argv[2], "utf8");
    const status = { ...JSON.parse(process.argv[3]), token };
    console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1", status }));`;
  const args = ["-e", code, folder.at("runs"), write("plugin-token", token), JSON.stringify(status)];
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args } };
}

/** From now on, the server accepts only this token. */
function accept(token: string): void {
  fake.handler = ({ headers }, response, next) =>
    headers.authorization === `Bearer ${token}` ? next() : answer(response, 401, {});
}

/** Returns how often the plugin runs for some watches. */
async function countRuns(provider: ClusterProvider): Promise<number> {
  const recording = watch(provider);
  await waitForMembers(recording, "a");
  await waitForHeartbeats(recording, 4);
  recording.abort();
  return readFileSync(folder.at("runs"), "utf8").length;
}

describe("a kubeconfig", () => {
  test("in an environment variable provides server, namespace and token", async () => {
    const provider = provide({
      kubeconfig: fromEnv(kubeconfig({ token: "t" }, { context: { namespace: "shop" } })),
    });
    await waitForMembers(watch(provider), "a");
    expect(fake.requests[0]?.pathname).toContain("/namespaces/shop/");
    expect(fake.authorizations[0]).toBe("Bearer t");
  });

  test.each([
    ["its current context", {}, "default"],
    ["the configured context", { context: "other" }, "elsewhere"],
    ["the configured namespace", { context: "other", namespace: "mine" }, "mine"],
  ])("is used with its context: %s", async (_, params, namespace) => {
    const provider = provide({ kubeconfig: fromEnv(kubeconfig({})), ...params });
    expect(await probe(provider)).toBeUndefined();
    expect(fake.requests[0]?.pathname).toContain(`/namespaces/${namespace}/`);
    expect(fake.authorizations[0]).toBeUndefined();
  });

  test("provides a name and a password", async () => {
    const user = { username: "ada", password: SECRET };
    expect(await probe(provide({ kubeconfig: fromEnv(kubeconfig(user)) }))).toBeUndefined();
    expect(fake.authorizations[0]).toBe(`Basic ${Buffer.from(`ada:${SECRET}`).toString("base64")}`);
  });

  test("in a file resolves paths relative to its folder, and a token file takes precedence over a token", async () => {
    write("token", "from-file\n");
    const file = write("config", kubeconfig({ tokenFile: "token", token: "inline" }));
    expect(await probe(provide({ kubeconfig: { file } }))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer from-file");
  });

  test("is found where kubectl would find it", async () => {
    vi.stubEnv("KUBECONFIG", write("config", kubeconfig({ token: "found" })));
    expect(await probe(provide({}))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer found");
  });

  // A5
  test("provides all headers of an impersonation, and the permissions of the token are never used instead", async () => {
    const user = {
      token: "t",
      as: "viewer",
      "as-uid": "u-1",
      "as-groups": ["dev", "ops"],
      "as-user-extra": { "example.com/scope": ["a", "b"] },
    };
    expect(await probe(provide({ kubeconfig: fromEnv(kubeconfig(user)) }))).toBeUndefined();
    expect(fake.headers[0]).toMatchObject({
      authorization: ["Bearer t"],
      "impersonate-user": ["viewer"],
      "impersonate-uid": ["u-1"],
      "impersonate-group": ["dev", "ops"],
      "impersonate-extra-example.com%2fscope": ["a", "b"],
    });
  });

  // A3
  test("of several files resolves a token file relative to the file that names it", async () => {
    write("tok", "of-second");
    const second = write("second", kubeconfig({ tokenFile: "tok" }));
    const first = write("first", JSON.stringify({ "current-context": "main" }));
    vi.stubEnv("KUBECONFIG", [first, second].join(delimiter));
    expect(await probe(provide({}))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer of-second");
  });

  test("uses the last token of a file that has become unreadable, or the inline token if it was never readable", async () => {
    const file = folder.at("token");
    const recording = watch(
      provide({ kubeconfig: fromEnv(kubeconfig({ token: "inline", tokenFile: file })) }),
    );
    await waitForMembers(recording, "a");
    expect(fake.authorizations[0]).toBe("Bearer inline");
    write("token", "one");
    await recording.waitFor("the token", () => fake.authorizations.includes("Bearer one") || undefined);
    rmSync(file);
    await waitForHeartbeats(recording, 2);
    expect(fake.authorizations.at(-1)).toBe("Bearer one");
    recording.abort();
  });

  // A2
  test.each<[object, string]>([
    [{ token: "a\nb" }, "a token with characters that are not allowed in a header"],
    [{ exec: { command: "x", args: "y" } }, "exec.args does not have the expected form"],
  ])("with %j: the error names the user and its file", async (user, why) => {
    const file = write("config", kubeconfig(user));
    const error = await probe(provide({ kubeconfig: { file } }));
    expect(error).toMatchObject({ code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
    expect(String(error)).toContain(`of the kubeconfig "${file}"`);
    expect(String(error)).toContain(why);
  });

  test("uses its token instead of that of a plugin", async () => {
    const user = { token: "inline", ...plugin("from-plugin") };
    expect(await probe(provide({ kubeconfig: fromEnv(kubeconfig(user)) }))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer inline");
  });

  test("of several files is merged as kubectl does", async () => {
    const text = JSON.stringify({
      users: [{ name: "w", user: { token: "w" } }],
      contexts: [{ name: "main", context: { cluster: "c", user: "w" } }],
    });
    const first = write("first", text);
    const clusters = [{ name: "c", cluster: { server: fake.address } }];
    const second = write("second", JSON.stringify({ clusters, "current-context": "main" }));
    vi.stubEnv("KUBECONFIG", [first, second].join(delimiter));
    expect(await probe(provide({}))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer w");
  });

  test("that was replaced is used from the next request on, without an interruption of a watch", async () => {
    const file = write("config", kubeconfig({ token: "one" }));
    const recording = watch(provide({ kubeconfig: { file } }));
    await waitForMembers(recording, "a");
    write("config", kubeconfig({ token: "two" }));
    await recording.waitFor("the new token", () => fake.authorizations.includes("Bearer two") || undefined);
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });

  test.each<[string, () => object]>([
    ["does not exist", () => ({ kubeconfig: { file: folder.at("missing") } })],
    ["is in a variable that is not set", () => ({ kubeconfig: { env: "HOLDFAST_TEST_UNSET" } })],
    ["is not YAML", () => ({ kubeconfig: fromEnv(`{"token: ${SECRET}`) })],
    ["is a string", () => ({ kubeconfig: fromEnv(SECRET) })],
    ["is a list", () => ({ kubeconfig: fromEnv("[]") })],
    ["has a cluster without a name", () => ({ kubeconfig: fromEnv('{"clusters":[{"cluster":{}}]}') })],
    [
      "does not have the configured context",
      () => ({ kubeconfig: fromEnv(kubeconfig({})), context: "prod" }),
    ],
    ["has no current context", () => ({ kubeconfig: fromEnv(kubeconfig({}, { current: "" })) })],
    ["has a context without its cluster", () => ({ kubeconfig: fromEnv(kubeconfig({})), context: "broken" })],
    [
      "has an unsupported auth-provider",
      () => ({ kubeconfig: fromEnv(kubeconfig({ "auth-provider": { name: "gcp", config: {} } })) }),
    ],
    [
      "has a token file that is missing",
      () => ({ kubeconfig: fromEnv(kubeconfig({ tokenFile: folder.at("missing") })) }),
    ],
  ])("that %s leads to CONNECTIVITY_SECRET_UNAVAILABLE, and is not quoted", async (_, toParams) => {
    // R1.6
    const error = await probe(provide({ ...toParams() }));
    expect(error).toMatchObject({ code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
    expect(JSON.stringify([error, String(error)])).not.toContain(SECRET);
    expect(fake.requests).toEqual([]);
  });
});

describe("a token by reference", () => {
  test("is read again for every request", async () => {
    const file = write("token", "one\n");
    const recording = watch(provide({ server: fake.address, token: { file } }));
    await waitForMembers(recording, "a");
    expect(fake.authorizations[0]).toBe("Bearer one");
    write("token", "two\n");
    await recording.waitFor("the new token", () => fake.authorizations.includes("Bearer two") || undefined);
    expect(recording.outcome.kind).toBe("running");
    recording.abort();
  });

  // E1
  test("from the environment is trimmed", async () => {
    vi.stubEnv(ENV, "abc\n");
    expect(await probe(provide({ server: fake.address, token: { env: ENV } }))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer abc");
  });

  // E1 R1.6
  test.each([" \n", "a b", `${SECRET}\u0001`, `${SECRET}é`])(
    "that cannot be sent in a header (%j) leads to CONNECTIVITY_SECRET_UNAVAILABLE",
    async (text) => {
      vi.stubEnv(ENV, text);
      const error = await probe(provide({ server: fake.address, token: { env: ENV } }));
      expect(error).toMatchObject({ code: "CONNECTIVITY_SECRET_UNAVAILABLE" });
      expect(findSecret(allTextOf(error), SECRET)).toEqual([]);
      expect(fake.requests).toEqual([]);
    },
  );

  test("that is missing leads to CONNECTIVITY_SECRET_UNAVAILABLE", async () => {
    const provider = provide({ server: fake.address, token: { file: folder.at("missing") } });
    expect((await failureOf(watch(provider))).code).toBe("CONNECTIVITY_SECRET_UNAVAILABLE");
  });
});

describe("after a 401", () => {
  // H3: the next attempt uses a rotated token.
  test("a token file is read again, as for every request", async () => {
    const file = write("token", "one");
    accept("one");
    const provider = provide({ kubeconfig: fromEnv(kubeconfig({ tokenFile: file })) });
    const recording = watch(provider);
    await waitForMembers(recording, "a");
    accept("two");
    expect(await failureOf(recording)).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 401, server: fake.address },
    });
    expect(await failureOf(watch(provider))).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    write("token", "two");
    await waitForMembers(watch(provider), "a");
    expect(fake.authorizations.at(-1)).toBe("Bearer two");
  });

  test("a plugin runs again", async () => {
    accept("one");
    const provider = provide({ kubeconfig: fromEnv(kubeconfig(plugin("one"))) });
    const recording = watch(provider);
    await waitForMembers(recording, "a");
    write("plugin-token", "two");
    accept("two");
    expect((await failureOf(recording)).code).toBe("CONNECTIVITY_UNAUTHORIZED");
    await waitForMembers(watch(provider), "a");
  });
});

describe("a credential plugin", () => {
  test("runs once while its credential is valid", async () => {
    const status = { expirationTimestamp: "2100-01-01T00:00:00Z" };
    expect(await countRuns(provide({ kubeconfig: fromEnv(kubeconfig(plugin("t", status))) }))).toBe(1);
    expect(new Set(fake.authorizations)).toEqual(new Set(["Bearer t"]));
  });

  test("runs once for a credential that does not expire", async () => {
    expect(await countRuns(provide({ kubeconfig: fromEnv(kubeconfig(plugin("t"))) }))).toBe(1);
  });

  test("runs again when its credential has expired", async () => {
    const status = { expirationTimestamp: "2001-01-01T00:00:00Z" };
    const provider = provide({ kubeconfig: fromEnv(kubeconfig(plugin("t", status))) });
    expect(await countRuns(provider)).toBeGreaterThan(2);
  });

  test("with a relative path is found next to the kubeconfig", async () => {
    const credential = `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t"}}`;
    chmodSync(write("login", `#!/bin/sh\necho '${credential}'\n`), 0o700);
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "./login" };
    const file = write("config", kubeconfig({ exec }));
    expect(await probe(provide({ kubeconfig: { file } }))).toBeUndefined();
    expect(fake.authorizations[0]).toBe("Bearer t");
  });

  test("that hangs leads to CONNECTIVITY_TIMEOUT, and no request is sent", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: process.execPath,
      args: ["-e", "setInterval(() => {}, 1e6)"],
    };
    const provider = provide({ kubeconfig: fromEnv(kubeconfig({ exec })), execTimeoutMs: 100 });
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect((await failureOf(watch(provider))).message).toContain("credential plugin");
    expect(fake.requests).toEqual([]);
  });
});
