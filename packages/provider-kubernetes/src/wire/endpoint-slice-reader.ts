import { isIP } from "node:net";
import {
  isSameNode,
  ProvisioningError,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeId,
} from "@holdfast/core";
import {
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
import { namespaceOf } from "./object-key.ts";

const NO_SKIPS: readonly string[] = Object.freeze([]);
const NO_NODES: ReadonlyMap<string, ClusterNode> = new Map();

/**
 * Reads EndpointSlices (`discovery.k8s.io/v1`) that were parsed from JSON. It reads only the fields that are part of
 * members.
 */
export class EndpointSliceReader {
  readonly #params: KubernetesSettings;
  readonly #readNode: NodeReader;

  /** Many readers can use one `readNode`: to compile it takes longer than to read thousands of nodes with it. */
  constructor(params: KubernetesSettings, readNode: NodeReader) {
    this.#params = params;
    this.#readNode = readNode;
  }

  /**
   * Reads a slice. When the content of an endpoint is equal to the node that `find` returns for its id, the same object
   * is returned.
   */
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
        // If two endpoints have the same name, one that is not terminating takes precedence.
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

  /**
   * Reads an endpoint. If its descriptive fields exceed a limit of Holdfast, they are shortened, and the endpoint is
   * kept.
   */
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

  /**
   * True when the conditions of the endpoint make it a member. `ready: null` means ready, and `serving: null` means the
   * same as `ready` (EndpointConditions of the API reference).
   */
  #isMember(endpoint: unknown): boolean {
    const conditions = fieldOf(endpoint, "conditions");
    const isReady = fieldOf(conditions, "ready") !== false;
    const serving = fieldOf(conditions, "serving");
    return this.#params.conditions === "ready" ? isReady : serving === true || (serving !== false && isReady);
  }

  /** Returns the port of the slice. A string is the reason why there is none. */
  #portOf(ports: readonly unknown[]): number | string {
    const wanted = this.#params.port;
    const having = (field: "port" | "name", value: unknown) =>
      ports.filter((port) => fieldOf(port, field) === value);
    let candidates = ports;
    if (wanted !== undefined) {
      candidates = having(typeof wanted === "number" ? "port" : "name", wanted);
      // No port has this name, so a quoted number is read as a number.
      if (candidates.length === 0 && typeof wanted === "string" && NUMBER.test(wanted))
        candidates = having("port", Number(wanted));
    }
    const port = fieldOf(candidates[0], "port");
    // The same number may be listed for several protocols.
    if (candidates.some((candidate) => fieldOf(candidate, "port") !== port))
      return "its slice has several ports and none is selected";
    return typeof port === "number" ? port : "its slice does not have the port";
  }

  #toInput(endpoint: unknown, port: number, namespace: string): ClusterNodeInput {
    // All addresses of an endpoint refer to the same thing, so the first one is used (EndpointSlice API reference,
    // `addresses`).
    const host = listOf(endpoint, "addresses")[0];
    const address = addressOf(endpoint, port);
    const nodeName = fieldOf(endpoint, "nodeName");
    const zone = fieldOf(endpoint, "zone");
    const hints = listOf(fieldOf(endpoint, "hints"), "forZones")
      .map((hint) => fieldOf(hint, "name"))
      .filter((name) => typeof name === "string");
    const isShuttingDown = fieldOf(fieldOf(endpoint, "conditions"), "terminating") === true;
    const metadata = {
      ...(typeof nodeName === "string" && { node: nodeName }),
      ...(hints.length > 0 && { zoneHints: hints.join(",") }),
      ...(isShuttingDown && { terminating: "true" }),
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
   * Returns the key of an endpoint: its name, or its address if it has no name. The port is part of the key only when a
   * port is selected; otherwise an address that slices list with several ports is ambiguous.
   */
  #keyOf(endpoint: unknown, namespace: string, port: number | string): string {
    const name = this.#nameOf(endpoint, namespace);
    if (name !== undefined) return name;
    if (this.#params.port !== undefined) return addressOf(endpoint, port);
    const host = hostOf(endpoint);
    return this.#params.allNamespaces ? `${namespace}/${host}` : host;
  }

  /**
   * Returns the name of the object of the endpoint, or else its hostname. Names are unique only within their namespace.
   */
  #nameOf(endpoint: unknown, namespace: string): string | undefined {
    const name = fieldOf(fieldOf(endpoint, "targetRef"), "name") || fieldOf(endpoint, "hostname");
    if (typeof name !== "string" || name === "") return undefined;
    return this.#params.allNamespaces ? `${namespace}/${name}` : name;
  }
}

/** A port number in a string. */
const NUMBER = /^[1-9]\d{0,4}$/;

/** Returns `host:port`. An endpoint without a host is not a member, so its id does not matter. */
function addressOf(endpoint: unknown, port: number | string): string {
  return `${hostOf(endpoint)}:${port}`;
}

/** Returns the first address; empty when there is none. */
function hostOf(endpoint: unknown): string {
  const host = listOf(endpoint, "addresses")[0];
  return typeof host === "string" ? host : "";
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[-a-z0-9_]{0,62})(?:\.[a-z0-9_][-a-z0-9_]{0,62})*\.?$/i;

/** Checks the host. The node reader checks a host that is not a string. */
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
