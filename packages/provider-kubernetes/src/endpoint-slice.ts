import {
  createNodeReader,
  fieldOf,
  isSameNode,
  listOf,
  MAX_MEMBERS,
  ProvisioningError,
  textOf,
  toSkipReason,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeId,
  type NodeReader,
} from "@holdfast/core";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";

/** What one EndpointSlice says of the members. */
export interface SliceContent {
  /** `namespace/name`. */
  readonly key: string;
  readonly isIpv6: boolean;
  readonly nodes: ReadonlyMap<NodeId, ClusterNode>;
  /** Why endpoints were left out, one text for each; without their text. */
  readonly skipped: readonly string[];
}

const NO_SKIPS: readonly string[] = Object.freeze([]);
const NO_NODES: ReadonlyMap<NodeId, ClusterNode> = new Map();

/** `namespace/name`; undefined when it has none, and so is no object of an API server. */
export function sliceKeyOf(slice: unknown): string | undefined {
  const metadata = fieldOf(slice, "metadata");
  const name = textOf(metadata, "name");
  if (name === undefined || name === "") return undefined;
  return `${namespaceOf(metadata)}/${name}`;
}

function namespaceOf(metadata: unknown): string {
  return textOf(metadata, "namespace") ?? "";
}

/** What a slice says that cannot be read at all. */
export function toUnreadable(key: string, reason: string): SliceContent {
  return { key, isIpv6: false, nodes: NO_NODES, skipped: [reason] };
}

/** Reads EndpointSlices (`discovery.k8s.io/v1`) as parsed from JSON, and only the fields that members are made of. */
export class EndpointSliceReader {
  readonly #params: KubernetesProviderParams;
  readonly #readNode: NodeReader = createNodeReader();

  constructor(params: KubernetesProviderParams) {
    this.#params = params;
  }

  /** Nodes that say what `find` gives are those same objects. */
  read(key: string, slice: unknown, find: (id: NodeId) => ClusterNode | undefined): SliceContent {
    const given = fieldOf(slice, "endpoints") ?? [];
    if (!Array.isArray(given)) return toUnreadable(key, "endpoints: expected a list");
    if (given.length > MAX_MEMBERS) throw tooMany();
    const addressType = fieldOf(slice, "addressType");
    const isIpv6 = addressType === "IPv6";
    if (!this.#isWanted(addressType)) return { key, isIpv6, nodes: NO_NODES, skipped: NO_SKIPS };
    const endpoints = given.filter((endpoint) => this.#isMember(endpoint));
    const port = this.#portOf(listOf(slice, "ports"));
    if (typeof port === "string") return { key, isIpv6, nodes: NO_NODES, skipped: endpoints.map(() => port) };
    const namespace = namespaceOf(fieldOf(slice, "metadata"));
    const nodes = new Map<NodeId, ClusterNode>();
    const skipped: string[] = [];
    for (const endpoint of endpoints) {
      const input = this.#toInput(endpoint, port, namespace);
      try {
        const before = find(input.id);
        const node = before !== undefined && isSameNode(before, input) ? before : this.#readNode(input);
        // Endpoints of one slice with one id are one pod's: the first that does not end counts.
        const other = nodes.get(node.id);
        if (other === undefined || (isTerminating(other) && !isTerminating(node))) nodes.set(node.id, node);
      } catch (error) {
        skipped.push(toSkipReason(error));
      }
    }
    return { key, isIpv6, nodes, skipped: skipped.length === 0 ? NO_SKIPS : skipped };
  }

  #isWanted(addressType: unknown): boolean {
    const { addressFamily } = this.#params;
    return addressFamily === "any" || addressType === (addressFamily === "ipv6" ? "IPv6" : "IPv4");
  }

  /** `ready: null` means ready, and `serving: null` means what ready does (EndpointConditions of the API reference). */
  #isMember(endpoint: unknown): boolean {
    const conditions = fieldOf(endpoint, "conditions");
    const isReady = fieldOf(conditions, "ready") !== false;
    const serving = fieldOf(conditions, "serving");
    return this.#params.conditions === "ready" ? isReady : serving === true || (serving !== false && isReady);
  }

  /** A text says why there is none. */
  #portOf(ports: readonly unknown[]): number | string {
    const wanted = this.#params.port;
    const candidates = ports.filter((port) => {
      if (wanted === undefined) return true;
      return fieldOf(port, typeof wanted === "number" ? "port" : "name") === wanted;
    });
    const port = fieldOf(candidates[0], "port");
    // One number may stand there for several protocols.
    if (candidates.some((candidate) => fieldOf(candidate, "port") !== port))
      return "its slice has several ports and none is asked for";
    return typeof port === "number" ? port : "its slice does not have the port";
  }

  #toInput(endpoint: unknown, port: number, namespace: string): ClusterNodeInput {
    // Further addresses of an endpoint are the same thing again (EndpointSlice API reference, `addresses`).
    const host = listOf(endpoint, "addresses")[0];
    const nodeName = fieldOf(endpoint, "nodeName");
    const zone = fieldOf(endpoint, "zone");
    const hints = listOf(fieldOf(endpoint, "hints"), "forZones")
      .map((hint) => fieldOf(hint, "name"))
      .filter((name) => typeof name === "string");
    const isEnding = fieldOf(fieldOf(endpoint, "conditions"), "terminating") === true;
    const metadata = {
      ...(typeof nodeName === "string" && { node: nodeName }),
      ...(hints.length > 0 && { zoneHints: hints.join(",") }),
      ...(isEnding && { terminating: "true" }),
    };
    const input = {
      id: this.#idOf(endpoint, host, port, namespace),
      host,
      port,
      ...(typeof zone === "string" && zone !== "" && { zone }),
      metadata,
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the node reader checks every field
    return input as ClusterNodeInput;
  }

  #idOf(endpoint: unknown, host: unknown, port: number, namespace: string): string {
    // Without a host it is no node, whatever its id.
    const address = `${typeof host === "string" ? host : ""}:${port}`;
    if (this.#params.nodeId === "address") return address;
    const target = fieldOf(fieldOf(endpoint, "targetRef"), "name") || fieldOf(endpoint, "hostname");
    if (typeof target !== "string" || target === "") return address;
    // Names are unique in their namespace only.
    return this.#params.allNamespaces ? `${namespace}/${target}` : target;
  }
}

/** It still serves at most. */
export function isTerminating({ metadata }: ClusterNode): boolean {
  return metadata["terminating"] === "true";
}

function tooMany(): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a slice has more than ${MAX_MEMBERS} endpoints`, {
    details: { maxMembers: MAX_MEMBERS },
  });
}
