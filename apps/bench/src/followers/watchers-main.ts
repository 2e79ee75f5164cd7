// A process with several clients that ask Consul directly: blocking queries, with each response parsed.
import { Agent, get } from "node:http";
import { buffer } from "node:stream/consumers";
import type { WatchersCommand, WatchersReport } from "./commands.ts";

let bytes = 0;
let responses = 0;
let cpu = process.cpuUsage();

process.on("message", (command: WatchersCommand) => {
  if (command.type === "watch") {
    for (let client = 0; client < command.count; client++) void watch(command.url);
  } else if (command.type === "reset") {
    bytes = 0;
    responses = 0;
    cpu = process.cpuUsage();
  } else {
    const { user, system } = process.cpuUsage(cpu);
    process.send?.({ type: "measured", bytes, responses, cpuUs: user + system } satisfies WatchersReport);
  }
});

async function watch(url: string): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  for (let index = "0"; ;) {
    const { promise, resolve, reject } = Promise.withResolvers<Parameters<typeof buffer>[0]>();
    get(`${url}?passing&index=${index}&wait=60s`, { agent }, (response) => {
      index = String(response.headers["x-consul-index"]);
      resolve(response);
    }).on("error", reject);
    const body = await buffer(await promise);
    JSON.parse(body.toString());
    bytes += body.byteLength;
    responses++;
  }
}
