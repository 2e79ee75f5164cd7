import { fieldOf } from "@holdfast/core/adapter";

/**
 * Returns the fields of an EndpointSlice that `EndpointSliceReader` reads, as JSON. Reading the parsed text has the same result as
 * reading the slice, for any parameters: only the texts of reasons may differ. Slices with equal texts have the same members.
 */
export function toSliceText(slice: unknown): string {
  if (!isObject(slice)) return JSON.stringify(flat(slice));
  const metadata = fieldOf(slice, "metadata");
  const ports = fieldOf(slice, "ports");
  const endpoints = fieldOf(slice, "endpoints");
  return JSON.stringify({
    metadata: { name: flat(fieldOf(metadata, "name")), namespace: flat(fieldOf(metadata, "namespace")) },
    addressType: flat(fieldOf(slice, "addressType")),
    ports: Array.isArray(ports) ? ports.map(toPort) : flat(ports),
    endpoints: Array.isArray(endpoints) ? endpoints.map(toEndpoint) : flat(endpoints),
  });
}

function toPort(port: unknown): unknown {
  return isObject(port) ? { name: flat(fieldOf(port, "name")), port: flat(fieldOf(port, "port")) } : port;
}

function toEndpoint(endpoint: unknown): unknown {
  if (!isObject(endpoint)) return endpoint;
  const addresses = fieldOf(endpoint, "addresses");
  const hints = fieldOf(fieldOf(endpoint, "hints"), "forZones");
  return {
    addresses: Array.isArray(addresses) ? addresses.slice(0, 1).map(flat) : flat(addresses),
    conditions: toConditions(fieldOf(endpoint, "conditions")),
    targetRef: toNamed(fieldOf(endpoint, "targetRef")),
    hostname: flat(fieldOf(endpoint, "hostname")),
    nodeName: flat(fieldOf(endpoint, "nodeName")),
    zone: flat(fieldOf(endpoint, "zone")),
    hints: Array.isArray(hints) ? { forZones: hints.map(toNamed) } : undefined,
  };
}

/** Leaves out the conditions of a ready endpoint, because no conditions mean the same. */
function toConditions(conditions: unknown): unknown {
  if (!isObject(conditions)) return undefined;
  const ready = fieldOf(conditions, "ready");
  const serving = fieldOf(conditions, "serving");
  const terminating = fieldOf(conditions, "terminating");
  if (ready === true && serving === true && terminating !== true) return undefined;
  return { ready: flat(ready), serving: flat(serving), terminating: flat(terminating) };
}

function toNamed(value: unknown): unknown {
  return isObject(value) ? { name: flat(fieldOf(value, "name")) } : undefined;
}

/** Returns a value without its content if it is an array or an object, because a text has no deep nesting. */
function flat(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Array.isArray(value) ? [] : {};
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
