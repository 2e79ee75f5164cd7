import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { isProvisioningError } from "@holdfast/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { kubernetesParamsSchema } from "../../kubernetes-params.ts";
import { findKubeconfig } from "./find-kubeconfig.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./load-kubeconfig.ts";

let folder: TemporaryFolder;
let env: Record<string, string>;
beforeEach(() => {
  folder = new TemporaryFolder();
  env = {};
});
afterEach(() => folder[Symbol.dispose]());

function write(name: string, content: unknown): string {
  const file = folder.at(name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

interface Parts {
  readonly current?: string;
  readonly cluster?: object;
  readonly user?: object;
}

/** Returns a complete kubeconfig. All names in it start with `name`. */
function complete(
  name: string,
  { current = name, cluster = {}, user = { token: name } }: Parts = {},
): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    preferences: { colors: true },
    "current-context": current,
    clusters: [{ name, cluster: { server: `https://${name}.example`, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  };
}

async function load(params: object = {}): Promise<LoadedKubeconfig> {
  const parsed = kubernetesParamsSchema.parse({ service: "web", ...params });
  const environment = {
    env,
    homeKubeconfig: folder.at("home/config"),
    accountFolder: folder.at("account"),
  };
  const { signal } = new AbortController();
  const source = await findKubeconfig(parsed, environment, signal);
  return loadKubeconfig(source, parsed, environment, signal);
}

/** Loads the files in this order, as KUBECONFIG lists them. */
function loadFiles(...files: readonly string[]): Promise<LoadedKubeconfig> {
  env["KUBECONFIG"] = files.join(delimiter);
  return load();
}

async function refusalOf(loading: Promise<unknown>): Promise<string> {
  const error: unknown = await loading.then(
    () => new Error("it was loaded"),
    (thrown: unknown) => thrown,
  );
  if (!isProvisioningError(error) || error.code !== "CONNECTIVITY_SECRET_UNAVAILABLE") throw error;
  return error.message;
}

describe("several kubeconfigs", () => {
  // A1
  test("use the current context of the first file that sets one", async () => {
    const loaded = await loadFiles(write("a", complete("a")), write("b", complete("b")));
    expect(loaded).toMatchObject({ cluster: { server: "https://a.example" }, user: { token: "a" } });
    const unset = write("c", complete("c", { current: "" }));
    expect((await loadFiles(unset, folder.at("b"))).user.token).toBe("b");
  });

  // A2
  test("may be missing, empty or listed twice", async () => {
    const b = write("b", complete("b"));
    const comment = write("comment", "# nothing\n");
    const loaded = await loadFiles("", folder.at("missing"), write("empty", ""), comment, b, b);
    expect(loaded.user.token).toBe("b");
  });

  // A2
  test("with the same names: the first entry with a name is used, without merging entries", async () => {
    const first = complete("x", { cluster: { server: "https://first.example" }, user: { username: "ada" } });
    const second = complete("x", { cluster: { "tls-server-name": "second" }, user: { token: "second" } });
    const { cluster, user } = await loadFiles(write("a", first), write("b", second));
    expect(cluster).toMatchObject({ server: "https://first.example", serverName: undefined });
    expect(user).toMatchObject({ basic: { username: "ada", password: "" }, token: undefined });
  });

  // A3
  test("contain paths that are relative to their file", async () => {
    const user = {
      tokenFile: "tok",
      "client-certificate": "sub/c.pem",
      "client-key": "/abs/k.pem",
      exec: { command: "../bin/login" },
    };
    const b = complete("x", { user, cluster: { "certificate-authority": "ca.pem" } });
    const contexts = {
      "current-context": "x",
      contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    };
    const loaded = await loadFiles(write("one/a", contexts), write("two/b", b));
    expect(loaded).toMatchObject({
      cluster: { ca: { file: folder.at("two/ca.pem") } },
      user: {
        tokenFile: folder.at("two/tok"),
        cert: { file: folder.at("two/sub/c.pem") },
        key: { file: "/abs/k.pem" },
        exec: { command: folder.at("bin/login") },
      },
    });
    expect((await load({ kubeconfig: { file: folder.at("two/b") } })).user.tokenFile).toBe(
      folder.at("two/tok"),
    );
  });

  test("contain a command that is searched for in PATH", async () => {
    const { user } = await loadFiles(write("a", complete("a", { user: { exec: { command: "login" } } })));
    expect(user.exec).toEqual({ command: "login" });
  });

  // A4
  test("may contain malformed entries that are not used", async () => {
    const good = complete("good");
    const broken = {
      ...good,
      clusters: [
        { name: "old", cluster: {} },
        null,
        7,
        { name: 5 },
        { name: "n", cluster: null },
        ...listOf(good, "clusters"),
      ],
      users: [{ name: "old", user: { token: 7, exec: "x" } }, { user: {} }, ...listOf(good, "users")],
      contexts: [
        { name: "", context: { cluster: "", user: "" } },
        { name: "old", context: null },
        { name: "odd", context: { cluster: 5 } },
        ...listOf(good, "contexts"),
      ],
      extensions: [{ name: "x", extension: {} }],
    };
    expect((await loadFiles(write("a", broken))).user.token).toBe("good");
  });

  // A2
  test.each<[string, unknown, string]>([
    ["is not YAML", "a: b: c", "is not valid YAML (line 1, column"],
    ["has a repeated key", "clusters: []\nclusters: []", "is not valid YAML (line 2, column 1)"],
    ["is a list", "[]", "expected a mapping"],
    ["has a list that is a mapping", { clusters: {} }, "clusters: expected a list"],
    ["has several documents", "a: 1\n---\nb: 1", "more than one YAML document"],
    ["has its content in the second document", "---\n---\nb: 1", "more than one YAML document"],
    [
      "has two entries with the same name",
      { users: [{ name: "w" }, { name: "w" }] },
      'it has two users with the name "w"',
    ],
  ])("of which one %s lead to an error that names it", async (_, content, why) => {
    const message = await refusalOf(loadFiles(write("good", complete("good")), write("bad", content)));
    expect(message).toContain(`"${folder.at("bad")}"`);
    expect(message).toContain(why);
  });

  // A2
  test("may end with an empty YAML document", async () => {
    const file = write("a", `---\n${JSON.stringify(complete("a"))}\n---\n# nothing\n`);
    expect((await loadFiles(file)).user.token).toBe("a");
  });

  test("may use merge keys, anchors and yes of YAML", async () => {
    const text = `
      base: &base { insecure-skip-tls-verify: yes }
      current-context: x
      clusters: [{ name: x, cluster: { <<: *base, server: "https://x.example" } }]
      contexts: [{ name: x, context: { cluster: x } }]`;
    expect((await loadFiles(write("a", text))).cluster.isInsecure).toBe(true);
  });
});

function listOf(config: object, name: string): readonly unknown[] {
  return Reflect.get(config, name) as readonly unknown[];
}

/** Loads one kubeconfig with these fields in its cluster and its user. */
const first = (cluster: object, user: object = {}): Promise<LoadedKubeconfig> =>
  loadFiles(write("a", complete("a", { cluster, user })));

describe("a kubeconfig", () => {
  // A5
  test("provides all headers of an impersonation", async () => {
    const { user } = await first(
      {},
      {
        token: "t",
        as: "jürgen",
        "as-uid": "u-1",
        "as-groups": ["dev", "ops"],
        "as-user-extra": { "example.com/a%b": ["1", "2"], none: [] },
      },
    );
    expect(user.impersonation).toEqual({
      "impersonate-user": Buffer.from("jürgen").toString("latin1"),
      "impersonate-uid": "u-1",
      "impersonate-group": ["dev", "ops"],
      "impersonate-extra-example.com%2Fa%25b": ["1", "2"],
    });
    expect((await first({}, { as: "", "as-groups": [] })).user.impersonation).toBeUndefined();
  });

  // A5, and other cases that kubectl rejects.
  test.each<[string, object, object, string]>([
    ["groups without as", {}, { "as-groups": ["dev"] }, "without as"],
    ["a uid without as", {}, { "as-uid": "1" }, "without as"],
    ["extra fields without as", {}, { "as-user-extra": { a: ["b"] } }, "without as"],
    ["a line break in as", {}, { as: "a\nb" }, "control characters"],
    ["a token and a username", {}, { token: "t", username: "u" }, "both a token and a username"],
    ["a certificate without a key", {}, { "client-certificate": "c" }, "without its key"],
    [
      "exec and an auth-provider",
      {},
      { exec: { command: "x" }, "auth-provider": { name: "oidc" } },
      "both exec",
    ],
    ["a removed auth-provider", {}, { "auth-provider": { name: "gcp" } }, "use exec"],
    ["an auth-provider of the client library", {}, { "auth-provider": { name: "tokenFile" } }, "use exec"],
    ["a token that is a number", {}, { token: 7 }, "token does not have the expected form"],
    [
      "key data that is not base64",
      {},
      { "client-certificate": "c", "client-key-data": "§" },
      "client-key-data",
    ],
  ])("with %s is rejected, and the error names file and user", async (_, cluster, user, why) => {
    const message = await refusalOf(first(cluster, user));
    expect(message).toContain(`the user "a" of the kubeconfig "${folder.at("a")}" cannot be used`);
    expect(message).toContain(why);
  });

  test.each<[string, object, string]>([
    ["no server", { server: "" }, "no server"],
    ["a server that is not a URL", { server: "ftp://x" }, "not an http or https URL"],
    ["a password in its server", { server: "https://a:hunter2@b" }, "contains credentials"],
    ["a CA and no verification", { "insecure-skip-tls-verify": true, "certificate-authority": "x" }, "both"],
    ["CA data that is not base64", { "certificate-authority-data": "-----BEGIN" }, "expected base64"],
    ["a server that is a list", { server: [] }, "server does not have the expected form"],
  ])("with %s is rejected, and the error names file and cluster", async (_, cluster, why) => {
    const message = await refusalOf(first(cluster));
    expect(message).toContain(`the cluster "a" of the kubeconfig "${folder.at("a")}" cannot be used`);
    expect(message).toContain(why);
    expect(message).not.toContain("hunter2");
  });

  test.each<[string, object, string]>([
    ["of a missing cluster", { cluster: "nowhere", user: "a" }, 'there is no cluster "nowhere"'],
    ["without a cluster", { user: "a" }, 'there is no cluster ""'],
    ["of a missing user", { cluster: "a", user: "nobody" }, 'there is no user "nobody"'],
    ["with a number as cluster", { cluster: 5 }, "cluster does not have the expected form"],
  ])("with a context %s is rejected, and the error names file and context", async (_, context, why) => {
    const config = { ...complete("a"), contexts: [{ name: "a", context }] };
    const message = await refusalOf(loadFiles(write("a", config)));
    expect(message).toContain(`the context "a" of the kubeconfig "${folder.at("a")}" cannot be used`);
    expect(message).toContain(why);
  });

  test("with a context without a user uses the certificate authority", async () => {
    const cluster = { server: "https://a.example", "certificate-authority": "ca" };
    const config = {
      "current-context": "a",
      clusters: [{ name: "a", cluster }],
      contexts: [{ name: "a", context: { cluster: "a", namespace: "shop" } }],
    };
    expect(await loadFiles(write("a", config))).toMatchObject({
      cluster: { ca: { file: folder.at("ca") } },
      user: {},
      namespace: "shop",
    });
  });

  // A6
  test("with data and files uses the data", async () => {
    const data = Buffer.from("PEM").toString("base64");
    const { cluster, user } = await first(
      { "certificate-authority": "/none", "certificate-authority-data": data },
      {
        "client-certificate": "/none",
        "client-certificate-data": data,
        "client-key": "/none",
        "client-key-data": data,
      },
    );
    const pem = { data: Buffer.from("PEM") };
    expect([cluster.ca, user.cert, user.key]).toEqual([pem, pem, pem]);
  });

  test.each([
    ["10.0.0.1:6443", {}, "http://10.0.0.1:6443"],
    ["10.0.0.1:6443", { "certificate-authority": "ca" }, "https://10.0.0.1:6443"],
    ["https://a.example/clusters/c-1/", {}, "https://a.example/clusters/c-1"],
    ["HTTPS://a.example", {}, "HTTPS://a.example"],
  ])("with the server %s and %j uses %s", async (server, more, expected) => {
    expect((await first({ server, ...more })).cluster.server).toBe(expected);
  });

  // A7
  test("passes the extension of the cluster for plugins", async () => {
    const extensions = [
      { name: "other", extension: 1 },
      { name: "client.authentication.k8s.io/exec", extension: { audience: ["a"] } },
    ];
    expect((await first({ extensions })).cluster.execConfig).toEqual({ audience: ["a"] });
  });
});

function mount(): void {
  write("account/token", "pod-token");
  write("account/ca.crt", "CA");
  write("account/namespace", "pod-namespace\n");
}
const home = () => write("home/config", complete("home"));
const pod = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

// A9
describe("without a kubeconfig in the parameters", () => {
  test.each<[string, object]>([
    ["an empty host", { ...pod, KUBERNETES_SERVICE_HOST: "" }],
    ["an empty port", { ...pod, KUBERNETES_SERVICE_PORT: "" }],
    ["no port", { KUBERNETES_SERVICE_HOST: "10.96.0.1" }],
  ])("%s means that this is not a pod", async (_, variables) => {
    mount();
    env = { ...variables };
    expect(await refusalOf(load())).toContain("this is not a pod");
    home();
    expect((await load()).user.token).toBe("home");
  });

  test("no mounted token means that this is not a pod", async () => {
    env = { ...pod };
    expect(await refusalOf(load())).toContain("this is not a pod");
    home();
    expect(await load()).toMatchObject({ user: { token: "home" }, namespace: undefined });
  });

  test("the service account of a pod is used, always with TLS", async () => {
    mount();
    env = { ...pod, KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "8080", KUBECONFIG: "" };
    expect(await load()).toMatchObject({
      cluster: { server: "https://[fd00::1]:8080", ca: { file: folder.at("account/ca.crt") } },
      user: { tokenFile: folder.at("account/token") },
      namespace: "pod-namespace",
    });
    env["POD_NAMESPACE"] = "named";
    expect((await load()).namespace).toBe("named");
  });

  test("a kubeconfig takes precedence over the service account of a pod, which is used when the kubeconfig is empty", async () => {
    mount();
    env = { ...pod };
    home();
    expect(await load()).toMatchObject({ user: { token: "home" }, namespace: "pod-namespace" });
    env["KUBECONFIG"] = folder.at("missing");
    expect((await load()).user.tokenFile).toContain("token");
    env["KUBECONFIG"] = write("empty", "");
    expect((await load()).user.tokenFile).toContain("token");
  });

  test("an unreadable kubeconfig is not skipped", async () => {
    mount();
    env = { ...pod, KUBECONFIG: folder.path };
    expect(await refusalOf(load())).toContain("could not be read");
  });
});

test("a kubeconfig in the parameters must exist, be small enough and name a context", async () => {
  expect(await refusalOf(load({ kubeconfig: { file: folder.at("missing") } }))).toContain("does not exist");
  const file = write("long", "#".repeat(4_194_305));
  expect(await refusalOf(load({ kubeconfig: { file } }))).toContain("larger than 4194304 bytes");
  const empty = write("empty", "");
  expect(await refusalOf(load({ kubeconfig: { file: empty } }))).toContain("no current context");
});
