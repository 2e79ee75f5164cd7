import { DiscoveryV1Api, KubeConfig, makeInformer, type V1EndpointSlice } from "@kubernetes/client-node";
import { createInterface } from "node:readline";
import { Agent, request } from "undici";
import { MARKER, type Contender, type KubernetesTarget, type Observation } from "./contender.ts";

type Slice = Pick<V1EndpointSlice, "metadata" | "endpoints" | "ports">;

interface SliceList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly Slice[];
}

interface WatchLine {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Slice;
}

/** Only the protocol: one list and one watch, with each line parsed and the slices kept by name. */
export const followKubernetesBare: Contender<KubernetesTarget> = async (target, onSeen) => {
  const config = new KubeConfig();
  config.loadFromFile(target.kubeconfig);
  const ca = Buffer.from(config.getCurrentCluster()?.caData ?? "", "base64");
  const dispatcher = new Agent(ca.length === 0 ? {} : { connect: { ca } });
  const headers = { authorization: `Bearer ${config.getCurrentUser()?.token}` };
  const url = `${config.getCurrentCluster()!.server}/apis/discovery.k8s.io/v1/namespaces/${target.namespace}/endpointslices?labelSelector=${encodeURIComponent(selectorOf(target))}`;
  const slices = new Map<string, Slice>();
  const { body } = await request(url, { dispatcher, headers });
  const list = (await body.json()) as SliceList;
  for (const slice of list.items) slices.set(slice.metadata!.name!, slice);
  onSeen(toObservation(slices.values()));
  const version = list.metadata.resourceVersion;
  const watch = await request(`${url}&watch=1&allowWatchBookmarks=true&resourceVersion=${version}`, {
    dispatcher,
    headers,
    bodyTimeout: 0,
  });
  for await (const line of createInterface({ input: watch.body })) {
    const { type, object } = JSON.parse(line) as WatchLine;
    if (type === "BOOKMARK") continue;
    if (type === "ERROR") throw new Error(`the watch sent an error: ${line}`);
    if (type === "DELETED") slices.delete(object.metadata!.name!);
    else slices.set(object.metadata!.name!, object);
    onSeen(toObservation(slices.values()));
  }
};

/** Uses `makeInformer` of the client library. */
export const followKubernetesWithInformer: Contender<KubernetesTarget> = async (target, onSeen) => {
  const config = new KubeConfig();
  config.loadFromFile(target.kubeconfig);
  const api = config.makeApiClient(DiscoveryV1Api);
  const { namespace } = target;
  const labelSelector = selectorOf(target);
  const informer = makeInformer(
    config,
    `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    () => api.listNamespacedEndpointSlice({ namespace, labelSelector }),
    labelSelector,
  );
  const notify = () => onSeen(toObservation(informer.list(namespace)));
  informer.on("add", notify);
  informer.on("update", notify);
  informer.on("delete", notify);
  await informer.start();
};

function selectorOf({ service }: KubernetesTarget): string {
  return `kubernetes.io/service-name=${service}`;
}

function toObservation(slices: Iterable<Slice>): Observation {
  let members = 0;
  let port: number | undefined;
  for (const { metadata, endpoints, ports } of slices) {
    members += endpoints?.length ?? 0;
    if (metadata?.name === MARKER) port = ports?.[0]?.port;
  }
  return { members, port };
}
