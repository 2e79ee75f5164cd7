import Consul from "consul";
import { Agent, get } from "node:http";
import { json } from "node:stream/consumers";
import { MARKER, type Contender, type ConsulTarget, type Sighting } from "./contender.ts";

interface Entry {
  readonly Service: { readonly ID: string; readonly Port: number };
}

/** The protocol and nothing else: one blocking query after the other, each answer parsed. */
export const followConsulBare: Contender<ConsulTarget> = async ({ address, service }, onSeen) => {
  const agent = new Agent({ keepAlive: true });
  for (let index = "0"; ;) {
    const url = `${address}/v1/health/service/${service}?passing&index=${index}&wait=60s`;
    const { promise, resolve, reject } = Promise.withResolvers<Parameters<typeof json>[0]>();
    get(url, { agent }, (response) => {
      index = String(response.headers["x-consul-index"]);
      resolve(response);
    }).on("error", reject);
    onSeen(toSighting((await json(await promise)) as Entry[]));
  }
};

/** `consul.watch` of the client library. */
export const followConsulWithHelper: Contender<ConsulTarget> = ({ address, service }, onSeen) => {
  const { hostname, port } = new URL(address);
  const consul = new Consul({ host: hostname, port: Number(port) });
  const watch = consul.watch({
    // oxlint-disable-next-line typescript/unbound-method -- the helper binds it by itself
    method: consul.health.service,
    options: { service, passing: "true", wait: "60s" },
  });
  watch.on("change", (entries: Entry[]) => onSeen(toSighting(entries)));
};

function toSighting(entries: readonly Entry[]): Sighting {
  return {
    members: entries.length,
    port: entries.find(({ Service }) => Service.ID === MARKER)?.Service.Port,
  };
}
