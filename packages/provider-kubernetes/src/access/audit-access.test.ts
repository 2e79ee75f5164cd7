import { findSecret } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { auditAccess } from "./audit-access.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";

const SECRET = "hunter2";
const folder = { homeKubeconfig: "/nowhere/config", accountFolder: "/nowhere/account" };

/** Returns the report for a kubeconfig with one cluster and one user. */
async function audit(cluster: object, user: object = {}, env: Readonly<Record<string, string>> = {}) {
  const text = JSON.stringify({
    "current-context": "x",
    clusters: [{ name: "prod", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "prod", user: "u" } }],
  });
  const params = kubernetesParamsSchema.parse({ service: "web", kubeconfig: { env: "CONFIG" } });
  const environment = { ...folder, env: { CONFIG: text, ...env } };
  return auditAccess(params, new AbortController().signal, environment);
}

describe("an audit", () => {
  // G6
  test.each<[string, object, object, object]>([
    [
      "disabled verification",
      { server: "https://api.example", "insecure-skip-tls-verify": true },
      { token: SECRET },
      { setting: "insecure-skip-tls-verify", server: "https://api.example" },
    ],
    ["a token over http", { server: "http://api.example:8080" }, { token: SECRET }, { setting: "server" }],
    [
      "a password over http",
      { server: "http://10.0.0.1" },
      { username: "a", password: SECRET },
      { setting: "server" },
    ],
    ["a token file over http", { server: "http://[fd00::1]:80" }, { tokenFile: "/t" }, { setting: "server" }],
    [
      "a plugin's token over http",
      { server: "http://api.example" },
      { exec: { command: "x" } },
      { setting: "server" },
    ],
    ["members over http", { server: "http://api.example" }, {}, { setting: "server" }],
    [
      "a proxy's password over http",
      { server: "https://api.example", "proxy-url": `http://me:${SECRET}@proxy.example:3128` },
      {},
      { setting: "proxy-url", proxy: "proxy.example:3128" },
    ],
    [
      "tokens renewed over http",
      { server: "https://api.example" },
      { "auth-provider": { name: "oidc", config: { "idp-issuer-url": "http://issuer.example" } } },
      { setting: "idp-issuer-url" },
    ],
  ])("reports %s, without the secret", async (_, cluster, user, details) => {
    const reasons = await audit(cluster, user);
    expect(reasons).toMatchObject([{ code: "CONNECTIVITY_INSECURE", details }]);
    expect(findSecret(JSON.stringify(reasons), SECRET)).toEqual([]);
  });

  test("names the cluster and its kubeconfig", async () => {
    const [reason] = await audit({ server: "https://api.example", "insecure-skip-tls-verify": true });
    expect(reason?.message).toContain('the cluster "prod" of the kubeconfig');
  });

  test.each<[string, object, object]>([
    ["TLS", { server: "https://api.example" }, { token: SECRET }],
    ["this machine", { server: "http://127.0.0.1:8001" }, { token: SECRET }],
    ["this machine's name", { server: "http://localhost:8001" }, { token: SECRET }],
    [
      "this machine by IPv6",
      { server: "http://[::1]:8001", "insecure-skip-tls-verify": true },
      { token: SECRET },
    ],
    [
      "a proxy without a password",
      { server: "https://api.example", "proxy-url": "http://proxy.example" },
      {},
    ],
    ["a kubeconfig that cannot be used", { server: "" }, {}],
  ])("reports nothing for %s", async (_, cluster, user) => {
    expect(await audit(cluster, user)).toEqual([]);
  });

  test("reports the password of a proxy from the environment", async () => {
    const env = { HTTPS_PROXY: `http://me:${SECRET}@proxy.example:3128` };
    expect(await audit({ server: "https://api.example" }, {}, env)).toMatchObject([
      { details: { proxy: "proxy.example:3128" } },
    ]);
  });

  test("reports a token of the parameters that is sent over http", async () => {
    const params = kubernetesParamsSchema.parse({
      service: "web",
      server: "http://api.example",
      token: { file: "/nowhere" },
    });
    expect(await auditAccess(params, new AbortController().signal)).toMatchObject([
      { code: "CONNECTIVITY_INSECURE", message: expect.stringContaining("a credential is sent") },
    ]);
  });
});
