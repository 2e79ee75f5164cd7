import Consul from "consul";
import { Agent, get } from "node:http";
import { json } from "node:stream/consumers";
import { MARKER, type Contender, type ConsulTarget, type Observation } from "./contender.ts";

interface Entry {
  readonly Service: { readonly ID: string; readonly Port: number };
}

/** Only the protocol: repeated blocking queries, with each response parsed. */
export const followConsulBare: Contender<ConsulTarget> = async ({ address, service }, onSeen) => {
  const agent = new Agent({ keepAlive: true });
  for (let index = "0"; ;) {
    const url = `${address}/v1/health/service/${service}?passing&index=${index}&wait=60s`;
    const { promise, resolve, reject } = Promise.withResolvers<Parameters<typeof json>[0]>();
    get(url, { agent }, (response) => {
      index = String(response.headers["x-consul-index"]);
      resolve(response);
    }).on("error", reject);
    onSeen(toObservation((await json(await promise)) as Entry[]));
  }
};

/** Uses `consul.watch` of the client library. */
export const followConsulWithHelper: Contender<ConsulTarget> = ({ address, service }, onSeen) => {
  const { hostname, port } = new URL(address);
  const consul = new Consul({ host: hostname, port: Number(port) });
  const watch = consul.watch({
    // oxlint-disable-next-line typescript/unbound-method -- the helper binds it
    method: consul.health.service,
    options: { service, passing: "true", wait: "60s" },
  });
  watch.on("change", (entries: Entry[]) => onSeen(toObservation(entries)));
};

function toObservation(entries: readonly Entry[]): Observation {
  return {
    members: entries.length,
    port: entries.find(({ Service }) => Service.ID === MARKER)?.Service.Port,
  };
}
