import type { KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";

/** The state of the library between requests: the renewed token. */
export interface OidcSession {
  config?: KubeConfig;
}

/**
 * Returns the token of a user with the auth-provider `oidc`, and renews it when it has expired. Returns undefined when
 * the configuration contains none.
 */
export async function readOidcToken(
  config: Readonly<Record<string, string>>,
  session: OidcSession,
): Promise<string | undefined> {
  session.config ??= await createConfig(config);
  const options: RequestOptions = { headers: {} };
  await session.config.applyToHTTPSOptions(options);
  const sent: unknown = Reflect.get(Object(options.headers), "Authorization");
  return typeof sent === "string" ? sent.replace(/^Bearer /, "") : undefined;
}

async function createConfig(config: Readonly<Record<string, string>>): Promise<KubeConfig> {
  // This package has 62 MB, so it is loaded only for OpenID Connect.
  const { KubeConfig: KubeConfigClass } = await import("@kubernetes/client-node");
  const loaded = new KubeConfigClass();
  loaded.loadFromClusterAndUser(
    { name: "cluster", server: "https://not-asked.invalid", skipTLSVerify: false },
    { name: "user", authProvider: { name: "oidc", config: { ...config } } },
  );
  return loaded;
}
