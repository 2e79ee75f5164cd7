import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hasUserConsul } from "./user-servers.ts";
import { ConsulAgent } from "./consul-agent.ts";
import { ConsulCatalog } from "./consul-catalog.ts";

/** A Consul that tests may read and write. */
export interface OpenConsul extends AsyncDisposable {
  readonly address: string;
  readonly catalog: ConsulCatalog;
  /** Headers with its credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
  /** The parameters of a provider, without the service. `address` can be the address of a proxy. */
  params(address: string): Readonly<Record<string, unknown>>;
}

/**
 * Opens the user's Consul if `CONSUL_HTTP_ADDR` is set (`CONSUL_HTTP_TOKEN`, `CONSUL_HTTP_SSL` and `CONSUL_CACERT` have the same meaning
 * as for the `consul` command); otherwise starts one. The registrations of the test are removed at the end.
 */
export async function openConsul(): Promise<OpenConsul> {
  if (hasUserConsul()) return openUserServer();
  const agent = await ConsulAgent.start();
  const { address, catalog } = agent;
  return {
    address,
    catalog,
    headers: {},
    ca: undefined,
    params: (through) => ({ addresses: [through], nodeId: "service-id" }),
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

async function openUserServer(): Promise<OpenConsul> {
  const { CONSUL_HTTP_ADDR = "", CONSUL_HTTP_TOKEN: token, CONSUL_HTTP_SSL, CONSUL_CACERT } = process.env;
  const scheme = CONSUL_HTTP_SSL === "true" || CONSUL_HTTP_SSL === "1" ? "https" : "http";
  const { origin, hostname, protocol } = new URL(
    CONSUL_HTTP_ADDR.includes("://") ? CONSUL_HTTP_ADDR : `${scheme}://${CONSUL_HTTP_ADDR}`,
  );
  const ca = CONSUL_CACERT === undefined ? undefined : await readFile(CONSUL_CACERT, "utf8");
  const catalog = new ConsulCatalog({ address: origin, token, ca });
  const tls = {
    ...(isIP(hostname) === 0 && { serverName: hostname }),
    ...(CONSUL_CACERT !== undefined && { caFile: CONSUL_CACERT }),
  };
  return {
    address: origin,
    catalog,
    headers: token === undefined ? {} : { "x-consul-token": token },
    ca,
    params: (through) => ({
      addresses: [through],
      nodeId: "service-id",
      ...(token !== undefined && { token: { env: "CONSUL_HTTP_TOKEN" } }),
      ...(protocol === "https:" && { tls }),
    }),
    async [Symbol.asyncDispose]() {
      await catalog.clear();
      await catalog.close();
    },
  };
}
