import type { Agent, AgentOptions, ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { ProvisioningError } from "@holdfast/core";
import type { SocksProxyAgent } from "socks-proxy-agent";
import { toProxyHost, type HttpProxy } from "@holdfast/core/adapter";

/** The options of `connect` in the library. */
type ConnectOptions = Parameters<SocksProxyAgent["connect"]>[1];

/** Creates an agent that connects through a SOCKS5 proxy. The proxy resolves host names, as with kubectl. */
export async function createSocksAgent(proxy: HttpProxy, options: AgentOptions): Promise<Agent> {
  const { SocksProxyAgent: Base } = await import("socks-proxy-agent");
  class NamedSocksAgent extends Base {
    override async connect(request: ClientRequest, connecting: ConnectOptions): Promise<Socket> {
      try {
        return await super.connect(request, connecting);
      } catch (error) {
        throw toSocksError(error, proxy);
      }
    }
  }
  return new NamedSocksAgent(proxy.url.replace(/^socks5:/i, "socks5h:"), options);
}

/** Converts an error of the library, which has no code and contains the password of the proxy. */
function toSocksError(error: unknown, proxy: HttpProxy): ProvisioningError {
  const why = error instanceof Error ? error.message : "unknown";
  return new ProvisioningError(
    /authentication/i.test(why) ? "CONNECTIVITY_UNAUTHORIZED" : "CONNECTIVITY_REFUSED",
    `the proxy ${toProxyHost(proxy)} (${proxy.source}) could not be used: ${why}`,
    { details: { proxy: toProxyHost(proxy) } },
  );
}
