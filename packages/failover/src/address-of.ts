import type { ClusterNode } from "@holdfast/core";

/** Returns `HOST:PORT`. Nodes of different providers with the same address are the same machine. */
export function addressOf({ host, port }: ClusterNode): string {
  return `${host}:${port}`;
}
