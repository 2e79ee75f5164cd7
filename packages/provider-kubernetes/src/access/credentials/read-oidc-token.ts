import type { KubeConfig } from "@kubernetes/client-node";
import type { RequestOptions } from "node:https";

/** What the library keeps from one request to the next: the token that it renewed. */
export interface OidcSession {
  config?: KubeConfig;
}

/** The token of a user with the auth-provider `oidc`, renewed when it has expired; undefined when the configuration has none. */
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
  // 62 MB that only a user of OpenID Connect loads.
  const { KubeConfig: KubeConfigClass } = await import("@kubernetes/client-node");
  const loaded = new KubeConfigClass();
  loaded.loadFromClusterAndUser(
    { name: "cluster", server: "https://not-asked.invalid", skipTLSVerify: false },
    { name: "user", authProvider: { name: "oidc", config: { ...config } } },
  );
  return loaded;
}
