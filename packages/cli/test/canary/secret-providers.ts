import type { TemporaryFolder } from "@holdfast-apps/test-support";
import type { Canaries } from "./canaries.ts";

export interface SecretScene {
  /** Providers with a secret in every place that accepts one. */
  readonly providers: readonly {
    readonly id: string;
    readonly kind: string;
    readonly priority: number;
    readonly params: Readonly<Record<string, unknown>>;
  }[];
  /** Environment variables that the providers refer to. */
  readonly env: Readonly<Record<string, string>>;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/**
 * Creates providers with a different secret in every place that accepts one. `host` is the backend that receives them.
 */
export function createSecretScene(folder: TemporaryFolder, canaries: Canaries, host: string): SecretScene {
  const http = `http://${host}`;
  const https = `https://${host}`;
  const env: Record<string, string> = {};
  const params: Record<string, Readonly<Record<string, unknown>>> = {};
  const file = (place: string, text: string = canaries.at(place)) => folder.write(`secret-${place}`, text);
  const pem = (place: string, what: string) =>
    `-----BEGIN ${what}-----\n${base64(canaries.at(place))}\n-----END ${what}-----\n`;
  const consul = (name: string, more: object) =>
    void (params[`consul-${name}`] = { service: "web", addresses: [http], ...more });
  const kubernetes = (name: string, user: object, cluster: object = {}) => {
    env[`CANARY_KUBE_${name}`] = JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "main",
      clusters: [{ name: "c", cluster: { server: http, ...cluster } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "main", context: { cluster: "c", user: "u", namespace: "n" } }],
    });
    params[`kubernetes-${name}`] = { service: "web", kubeconfig: { env: `CANARY_KUBE_${name}` } };
  };

  env["CANARY_CONSUL"] = canaries.at("consul-env");
  consul("env", { token: { env: "CANARY_CONSUL" } });
  consul("file", { token: { file: file("consul-file") } });
  env["CANARY_CONSUL_NUL"] = `${canaries.at("consul-newline")}\nx`;
  consul("newline", { token: { env: "CANARY_CONSUL_NUL" } });
  consul("tls", {
    addresses: [https],
    tls: {
      keyFile: file("tls-key", pem("tls-key", "PRIVATE KEY")),
      certFile: file("tls-cert", pem("tls-cert", "CERTIFICATE")),
    },
  });

  kubernetes("token", { token: canaries.at("kube-token") });
  kubernetes("newline", { token: `${canaries.at("kube-newline")}\nx` });
  kubernetes("basic", { username: "admin", password: canaries.at("kube-password") });
  kubernetes("tokenFile", { tokenFile: file("kube-token-file") });
  kubernetes(
    "certificate",
    {
      "client-certificate-data": base64(pem("kube-certificate", "CERTIFICATE")),
      "client-key-data": base64(pem("kube-key", "PRIVATE KEY")),
    },
    { server: https },
  );
  const exec = (name: string, code: string) =>
    kubernetes(name, {
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: process.execPath,
        args: ["-e", code],
        env: [{ name: "PLUGIN_SECRET", value: canaries.at(`kube-${name}`) }],
      },
    });
  exec(
    "exec",
    `console.log(JSON.stringify({ kind: "ExecCredential", apiVersion: "client.authentication.k8s.io/v1",
      status: { token: process.env.PLUGIN_SECRET } }))`,
  );
  exec(
    "execFails",
    `console.log(process.env.PLUGIN_SECRET); console.error(process.env.PLUGIN_SECRET); process.exit(3)`,
  );
  exec("execGarbage", `console.log('{"token":"' + process.env.PLUGIN_SECRET)`);
  kubernetes(
    "userinfo",
    {},
    { server: `http://admin:${encodeURIComponent(canaries.at("kube-server"))}@${host}` },
  );
  kubernetes(
    "proxy",
    {},
    { "proxy-url": `http://admin:${encodeURIComponent(canaries.at("kube-proxy"))}@${host}` },
  );
  kubernetes(
    "badProxy",
    {},
    { "proxy-url": `http://admin:${encodeURIComponent(canaries.at("kube-bad-proxy"))}@` },
  );
  kubernetes("oidc", {
    "auth-provider": {
      name: "oidc",
      config: {
        "client-id": "c",
        "client-secret": canaries.at("kube-oidc-client"),
        "id-token": `a.${Buffer.from(`{"exp":1,${canaries.at("kube-oidc-id")}`).toString("base64url")}.c`,
        "refresh-token": canaries.at("kube-oidc-refresh"),
        "idp-issuer-url": http,
      },
    },
  });
  env["CANARY_KUBE_garbage"] = `users: [ ${canaries.at("kube-garbage")}: `;
  params["kubernetes-garbage"] = { service: "web", kubeconfig: { env: "CANARY_KUBE_garbage" } };
  const written = file("kube-file", JSON.stringify({ users: canaries.at("kube-file") }));
  params["kubernetes-file"] = { service: "web", kubeconfig: { file: written } };
  params["kubernetes-server"] = {
    service: "web",
    server: http,
    token: { file: file("kube-server-token") },
  };
  params["kubernetes-key"] = {
    service: "web",
    server: https,
    keyFile: file("kube-key-file", pem("kube-key-file", "PRIVATE KEY")),
    certFile: file("kube-cert-file", pem("kube-cert-file", "CERTIFICATE")),
  };

  env["CANARY_PLUGIN"] = canaries.at("plugin");
  for (const when of ["create", "probe", "watch"])
    params[`plugin-${when}`] = { when, token: { env: "CANARY_PLUGIN" } };

  const providers = Object.entries(params).map(([id, given]) => ({
    id,
    kind: id.slice(0, id.indexOf("-")),
    priority: 1,
    params: given,
  }));
  return { providers, env };
}

function urlOf(name: string): string {
  return JSON.stringify(import.meta.resolve(name));
}

/** Returns the text of a module with a careless adapter: the errors it throws contain its secret. */
export function carelessAdapterModule(): string {
  return `
import { resolveSecret, secretReferenceSchema } from ${urlOf("@holdfast/core/adapter")};
import * as z from ${urlOf("zod")};
const fail = (secret) => {
  const error = new Error("it failed with " + secret, { cause: { secret, request: { headers: { token: secret } } } });
  error.code = secret;
  error.response = { body: secret };
  throw error;
};
export const createAdapter = () => ({
  kind: "plugin",
  params: z.strictObject({ when: z.string(), token: secretReferenceSchema }),
  create(descriptor) {
    const { when, token } = descriptor.params;
    if (when === "create") fail(process.env.CANARY_PLUGIN);
    return {
      descriptor,
      capabilities: { watch: true },
      async probe() { if (when === "probe") fail(await resolveSecret(token)); },
      async *watch() { fail(await resolveSecret(token)); },
      async [Symbol.asyncDispose]() {},
    };
  },
});
`;
}
