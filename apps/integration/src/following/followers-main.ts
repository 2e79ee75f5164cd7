// A process with followers: `node followers-main.ts COUNT URL...`. It answers every message of its parent with a `FollowersReport`.
import { follow, type Transport } from "@holdfast/client";
import { systemClock } from "@holdfast/core";

/** What a process with followers has seen. */
export interface FollowersReport {
  /** Number of followers by the hash of their content, and `stale` or `-` for those that have no current content. */
  readonly contents: Readonly<Record<string, number>>;
  /** The members of the first follower. */
  readonly members: unknown;
  /** When each request was sent, in wall-clock milliseconds. */
  readonly requestedAt: readonly number[];
  /** Number of bytes received since the last report, after decompression. */
  readonly bytes: number;
}

const [count, ...url] = process.argv.slice(2);
const requestedAt: number[] = [];
let bytes = 0;

const counting: Transport = async ({ url: target, headers, signal }) => {
  requestedAt.push(systemClock.now());
  const response = await fetch(target, { headers, signal });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: countBytes(response.body!),
  };
};

async function* countBytes(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const part of body) {
    bytes += part.byteLength;
    yield part;
  }
}

const health = { backoffMaxMs: 8_000 };
const followers = Array.from({ length: Number(count) }, () => follow({ url, transport: counting, health }));

function report(): FollowersReport {
  const contents: Record<string, number> = {};
  for (const { state } of followers) {
    const content = state.status === "ready" ? (state.snapshot?.hash ?? "-") : state.isStale ? "stale" : "-";
    contents[content] = (contents[content] ?? 0) + 1;
  }
  const received = bytes;
  bytes = 0;
  const members = followers[0]?.state.snapshot?.members.toArray();
  return { contents, members, requestedAt: requestedAt.splice(0), bytes: received };
}

process.on("message", () => process.send!(report()));
process.on("disconnect", () => process.exit());
