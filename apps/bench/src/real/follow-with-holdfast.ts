import { systemClock, type AnyProviderAdapter } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { Pipeline } from "../pipeline.ts";
import { MARKER, type Contender, type Target } from "./contender.ts";

/** The heartbeat interval for the default health timeout of 15 seconds. */
const HEARTBEAT_MS = 5_000;

/** Follows with the adapter, failover, hub and lanes. A change counts as seen when all three ports have it. */
export const followWithHoldfast: Contender<Target> = (target, onSeen) => {
  const [adapter, params] = adapterFor(target);
  const descriptor = { id: "real", kind: adapter.kind, priority: 1, params: adapter.params.parse(params) };
  const provider = adapter.create(descriptor, {
    clock: systemClock,
    random: Math.random,
    heartbeatMs: HEARTBEAT_MS,
  });
  const pipeline = new Pipeline([provider]);
  pipeline.onEvent((event) => {
    if (event.kind !== "snapshot") return;
    const { seqNo, snapshot } = event;
    const { members } = snapshot;
    const observation = { members: members.size, port: members.get(MARKER)?.port };
    const isEverywhere = (all: Pipeline) => all.isOwnershipAfter(seqNo - 1) && all.isRemotingAfter(seqNo - 1);
    void pipeline.until(isEverywhere).then(() => onSeen(observation));
  });
  pipeline.start();
};

function adapterFor(target: Target): readonly [AnyProviderAdapter, unknown] {
  if (target.backend === "consul") {
    const { address, service } = target;
    return [consul.createAdapter(), { addresses: [address], service, nodeId: "service-id" }];
  }
  const { kubeconfig, namespace, service } = target;
  return [kubernetes.createAdapter(), { kubeconfig: { file: kubeconfig }, namespace, service }];
}
