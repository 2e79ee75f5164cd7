import type { ClusterNode } from "@holdfast/core";

/** `HOST:PORT`: what makes two nodes of different providers the same machine. */
export function addressOf({ host, port }: ClusterNode): string {
  return `${host}:${port}`;
}
