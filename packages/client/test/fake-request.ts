import { DEFAULT_TOPOLOGY, type LogPosition, type TopologyName } from "@holdfast/core";
import type { TransportRequest } from "../src/connection/transport.ts";

/** What a request asks for, of one topology. */
export interface FakeTopic {
  readonly name: TopologyName;
  readonly position?: LogPosition | undefined;
  readonly have?: string | undefined;
}

export interface FakeRequest {
  /** The frames name their topology. */
  readonly isNamed: boolean;
  readonly topics: readonly FakeTopic[];
}

/** Reads a request for a stream, as the README of the command documents it. */
export function toFakeRequest({ url: text, headers }: TransportRequest): FakeRequest {
  const url = new URL(text);
  const values = url.searchParams.getAll("topology");
  if (values.length > 0) return { isNamed: true, topics: values.map(toTopic) };
  const name = /^\/topologies\/([^/]+)\/events$/.exec(url.pathname)?.[1] ?? DEFAULT_TOPOLOGY;
  const [, epoch, seqNo] = /^(.+):(\d+)$/.exec(headers["last-event-id"] ?? "") ?? [];
  const have = url.searchParams.get("have") ?? undefined;
  return { isNamed: false, topics: [{ name, position: toPosition(epoch, seqNo), have }] };
}

function toTopic(value: string): FakeTopic {
  const [, name, epoch, seqNo, have] = /^([^@;]+)(?:@([^/]+)\/(\d+))?(?:;(.*))?$/.exec(value) ?? [];
  if (name === undefined) throw new Error(`not a topic: ${value}`);
  return { name, position: toPosition(epoch, seqNo), have };
}

function toPosition(epoch: string | undefined, seqNo: string | undefined): LogPosition | undefined {
  return epoch === undefined ? undefined : { epoch, seqNo: Number(seqNo) };
}
