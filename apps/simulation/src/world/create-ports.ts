import type { PortCall } from "@holdfast/testing";
import type { ServicePorts } from "@holdfast/provisioning";
import type { PortName } from "../script/script.ts";
import { leasesOf } from "./leases-of.ts";
import type { Life } from "./life.ts";
import type { SimPort } from "./sim-port.ts";

/** The ports of one life: the same simulated ports, which exist longer than a life, called for this life. */
export function createPorts(ports: Readonly<Record<PortName, SimPort>>, life: Life): ServicePorts {
  const { partition, placement, remoting } = ports;
  const run = (port: SimPort, call: PortCall, signal: AbortSignal) => port.run(call, life, signal, doNothing);
  return {
    partition: {
      applySnapshot: (tick, { signal }) =>
        run(partition, { port: "partition", method: "applySnapshot", tick }, signal),
      publishLeases: (leases, { signal }) =>
        run(partition, { port: "partition", method: "publishLeases", leases }, signal),
      notify: (notice, { signal }) => run(partition, { port: "partition", method: "notify", notice }, signal),
    },
    placement: {
      applySnapshot: (tick, { signal }) =>
        placement.run({ port: "placement", method: "applySnapshot", tick }, life, signal, () =>
          leasesOf(tick),
        ),
      notify: (notice, { signal }) => run(placement, { port: "placement", method: "notify", notice }, signal),
    },
    remoting: {
      applyEvents: (events, { signal }) =>
        run(remoting, { port: "remoting", method: "applyEvents", events }, signal),
      notify: (notice, { signal }) => run(remoting, { port: "remoting", method: "notify", notice }, signal),
    },
  };
}

function doNothing(): void {}
