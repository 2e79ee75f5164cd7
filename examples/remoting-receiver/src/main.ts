// `npm start` runs a topology of three nodes whose members change, and prints how the receiver opens and closes
// channels.
import { type RemoteTopologyEvent, systemClock } from "@holdfast/core";
import { memory } from "@holdfast/provider-memory";
import { connect } from "holdfast";
import { RemotingReceiver } from "./remoting-receiver.ts";

const node = (id: string, host: string) => ({ id, host, port: 7_000 });
const a = node("a", "10.0.0.1");
const b = node("b", "10.0.0.2");
const c = node("c", "10.0.0.3");

using receiver = new RemotingReceiver({
  clock: systemClock,
  open(to) {
    console.log(`  opens ${to.id} at ${to.host}`);
    let isOpen = true;
    const close = () => {
      if (isOpen) console.log(`  closes ${to.id} at ${to.host}`);
      isOpen = false;
    };
    return { node: to, close };
  },
});

let applied = Promise.withResolvers<void>();

const remoting = {
  applyEvents(events: readonly RemoteTopologyEvent[]) {
    console.log(events.map(({ kind, key }) => `${kind} ${key}`).join("\n"));
    receiver.applyEvents(events);
    applied.resolve();
  },
  notify: receiver.notify.bind(receiver),
};

/** Resolves when the events that follow from the change have been applied. */
async function after(change: () => unknown): Promise<void> {
  applied = Promise.withResolvers();
  change();
  await applied.promise;
}

const spec = memory({ members: [a, b, c] }, { id: "primary" });
const topology = await connect({ providers: [spec], ports: { remoting } });
receiver.attach(topology.service.remoting!);
await applied.promise;

await after(() => receiver.isolate("a"));
await after(() => {
  receiver.restore("a");
  spec.provider.heartbeat();
});
await after(() => spec.provider.set([a, b]));
await topology.close();
