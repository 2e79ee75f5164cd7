import { systemClock, type AnyProviderAdapter } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { Pipeline } from "../pipeline.ts";
import { MARKER, type Contender, type Target } from "./contender.ts";

/** As many heartbeats as the default health timeout asks for. */
const HEARTBEAT_MS = 5_000;

/** From the adapter through fail-over, hub and lanes: seen is what all three ports have. */
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
    const sighting = { members: members.size, port: members.get(MARKER)?.port };
    const isEverywhere = (all: Pipeline) => all.isOwnershipAfter(seqNo - 1) && all.isRemotingAfter(seqNo - 1);
    void pipeline.until(isEverywhere).then(() => onSeen(sighting));
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
