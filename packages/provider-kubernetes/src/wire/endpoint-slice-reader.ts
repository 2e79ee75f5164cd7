import { isIP } from "node:net";
import {
  isSameNode,
  ProvisioningError,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeId,
} from "@holdfast/core";
import {
  createNodeReader,
  fieldOf,
  listOf,
  MAX_MEMBERS,
  NODE_LIMITS,
  toSkipReason,
  trimNode,
  type NodeReader,
} from "@holdfast/core/adapter";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import { isTerminating, toUnreadable, type SliceContent } from "./slice-content.ts";
import { namespaceOf } from "./slice-key.ts";

const NO_SKIPS: readonly string[] = Object.freeze([]);
const NO_NODES: ReadonlyMap<string, ClusterNode> = new Map();

/** Reads EndpointSlices (`discovery.k8s.io/v1`) as parsed from JSON, and only the fields that members are made of. */
export class EndpointSliceReader {
  readonly #params: KubernetesSettings;
  readonly #readNode: NodeReader = createNodeReader();

  constructor(params: KubernetesSettings) {
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
    const namespace = namespaceOf(fieldOf(slice, "metadata"));
    const port = this.#portOf(listOf(slice, "ports"));
    const unready = this.#readUnready(given, endpoints, namespace, port);
    if (typeof port === "string")
      return { key, isIpv6, nodes: NO_NODES, unready, skipped: endpoints.map(() => port) };
    const nodes = new Map<string, ClusterNode>();
    const more: { key: string; node: ClusterNode }[] = [];
    const skipped: string[] = [];
    const trimmed: string[] = [];
    for (const endpoint of endpoints) {
      const input = this.#toInput(endpoint, port, namespace);
      try {
        assertHost(input.host);
        const before = find(input.id);
        const isSame = before !== undefined && isSameNode(before, input);
        const node = isSame ? before : this.#readTrimmed(input, trimmed);
        const name = this.#keyOf(endpoint, namespace, port);
        const other = nodes.get(name);
        if (other === undefined) nodes.set(name, node);
        // Of one name, an endpoint that terminates yields to one that does not.
        else if (isTerminating(other) !== isTerminating(node)) {
          if (isTerminating(other)) nodes.set(name, node);
        } else if (other.host !== node.host) more.push({ key: name, node });
      } catch (error) {
        skipped.push(toSkipReason(error));
      }
    }
    return {
      key,
      isIpv6,
      nodes,
      more: more.length === 0 ? undefined : more,
      unready,
      trimmed: trimmed.length === 0 ? undefined : trimmed,
      skipped: skipped.length === 0 ? NO_SKIPS : skipped,
    };
  }

  /** A limit of ours on what only describes an endpoint does not remove it. */
  #readTrimmed(input: ClusterNodeInput, trimmed: string[]): ClusterNode {
    try {
      return this.#readNode(input);
    } catch (error) {
      const fitting = trimNode({ ...input });
      if (fitting === undefined) throw error;
      const node = this.#readNode(fitting.entry);
      trimmed.push(...fitting.reasons);
      return node;
    }
  }

  #readUnready(
    given: readonly unknown[],
    members: readonly unknown[],
    namespace: string,
    port: number | string,
  ): ReadonlySet<string> | undefined {
    if (given.length === members.length) return undefined;
    const names = given
      .filter((endpoint) => !this.#isMember(endpoint))
      .map((endpoint) => this.#keyOf(endpoint, namespace, port));
    return new Set(names);
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
    const having = (field: "port" | "name", value: unknown) =>
      ports.filter((port) => fieldOf(port, field) === value);
    let candidates = ports;
    if (wanted !== undefined) {
      candidates = having(typeof wanted === "number" ? "port" : "name", wanted);
      // A number in quotes, as no port has that name.
      if (candidates.length === 0 && typeof wanted === "string" && NUMBER.test(wanted))
        candidates = having("port", Number(wanted));
    }
    const port = fieldOf(candidates[0], "port");
    // One number may stand there for several protocols.
    if (candidates.some((candidate) => fieldOf(candidate, "port") !== port))
      return "its slice has several ports and none is asked for";
    return typeof port === "number" ? port : "its slice does not have the port";
  }

  #toInput(endpoint: unknown, port: number, namespace: string): ClusterNodeInput {
    // Further addresses of an endpoint are the same thing again (EndpointSlice API reference, `addresses`).
    const host = listOf(endpoint, "addresses")[0];
    const address = addressOf(endpoint, port);
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
      id: this.#params.nodeId === "address" ? address : (this.#nameOf(endpoint, namespace) ?? address),
      host,
      port,
      ...(typeof zone === "string" && zone !== "" && { zone }),
      metadata,
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the node reader checks every field
    return input as ClusterNodeInput;
  }

  /**
   * An endpoint without a name is known by its address, and by its port only where one is chosen: without a choice, an address that
   * slices list with several ports is ambiguous.
   */
  #keyOf(endpoint: unknown, namespace: string, port: number | string): string {
    const name = this.#nameOf(endpoint, namespace);
    if (name !== undefined) return name;
    if (this.#params.port !== undefined) return addressOf(endpoint, port);
    const host = hostOf(endpoint);
    return this.#params.allNamespaces ? `${namespace}/${host}` : host;
  }

  /** The object behind the endpoint, or else its host name; names are unique in their namespace only. */
  #nameOf(endpoint: unknown, namespace: string): string | undefined {
    const name = fieldOf(fieldOf(endpoint, "targetRef"), "name") || fieldOf(endpoint, "hostname");
    if (typeof name !== "string" || name === "") return undefined;
    return this.#params.allNamespaces ? `${namespace}/${name}` : name;
  }
}

/** A port's number as people write it. */
const NUMBER = /^[1-9]\d{0,4}$/;

/** Without a host it is no member, whatever its id. */
function addressOf(endpoint: unknown, port: number | string): string {
  return `${hostOf(endpoint)}:${port}`;
}

/** Its first address; empty where it does not have one. */
function hostOf(endpoint: unknown): string {
  const host = listOf(endpoint, "addresses")[0];
  return typeof host === "string" ? host : "";
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[-a-z0-9_]{0,62})(?:\.[a-z0-9_][-a-z0-9_]{0,62})*\.?$/i;

/** A host that is not a text is left to the node reader. */
function assertHost(host: unknown): void {
  if (typeof host !== "string" || host.length > NODE_LIMITS.host) return;
  if (isIP(host) !== 0 || DNS_NAME.test(host)) return;
  throw new ProvisioningError("VALIDATION_MALFORMED", "the host is malformed", {
    details: { problems: [{ path: "host", expected: "an IP address or a DNS name" }] },
  });
}

function tooMany(): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a slice has more than ${MAX_MEMBERS} endpoints`, {
    details: { maxMembers: MAX_MEMBERS },
  });
}
