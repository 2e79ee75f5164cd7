// A process with many clients of a daemon's /events. They are raw sockets, so that their cost is small and known. They parse the events,
// but not the state.
import { connect, type Socket } from "node:net";
import type { ClientsCommand, ClientsReport } from "./commands.ts";

const REQUEST = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
/** The end of a frame: JSON has no line breaks. */
const FRAME_END = Buffer.from("\n\n");
/** The frames before the events: `retry`, `via` and the state. */
const FIRST_FRAMES = 3;

interface Client {
  readonly socket: Socket;
  frames: number;
  /** The beginning of a frame whose end has not arrived, after the first frames. */
  rest: string;
  /** The last byte that was received is the first one of a frame end. */
  isInEnd: boolean;
}

const clients: Client[] = [];
let bytes = 0;
let cpu = process.cpuUsage();
let framesBefore = 0;

process.on("message", (command: ClientsCommand) => {
  if (command.type === "open") void open(command.count, new URL(command.url));
  else if (command.type === "measure") send(measure());
  else {
    bytes = 0;
    cpu = process.cpuUsage();
    framesBefore = clients.reduce((sum, { frames }) => sum + frames, 0);
  }
});

async function open(count: number, { port, hostname }: URL): Promise<void> {
  const startedAt = performance.now();
  const all = Array.from({ length: count }, async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect(Number(port), hostname);
    const client: Client = { socket, frames: 0, rest: "", isInEnd: false };
    clients.push(client);
    socket.write(REQUEST);
    socket.on("data", (chunk) => {
      bytes += chunk.byteLength;
      if (client.frames >= FIRST_FRAMES) return readEvents(client, chunk);
      countFrames(client, chunk);
      if (client.frames >= FIRST_FRAMES) resolve();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the daemon closed a connection")));
    return promise;
  });
  await Promise.all(all);
  send({ type: "opened", ms: performance.now() - startedAt });
}

function countFrames(client: Client, chunk: Buffer): void {
  if (client.isInEnd && chunk[0] === FRAME_END[1]) client.frames++;
  let at = chunk.indexOf(FRAME_END);
  for (; at >= 0; at = chunk.indexOf(FRAME_END, at + FRAME_END.length)) client.frames++;
  client.isInEnd = chunk.at(-1) === FRAME_END[0] && chunk.at(-2) !== FRAME_END[0];
}

function readEvents(client: Client, chunk: Buffer): void {
  const frames = (client.rest + chunk.toString()).split("\n\n");
  client.rest = frames.pop()!;
  for (const frame of frames) {
    client.frames++;
    const [, data] = frame.split("\ndata: ");
    if (data !== undefined) JSON.parse(data);
  }
}

function measure(): ClientsReport {
  const { user, system } = process.cpuUsage(cpu);
  const live = clients.filter(({ socket }) => !socket.destroyed);
  const frames = clients.reduce((sum, client) => sum + client.frames, 0);
  return {
    type: "measured",
    connected: live.length,
    events: frames - framesBefore,
    bytes,
    cpuUs: user + system,
    differing: clients.filter((client) => client.frames !== clients[0]!.frames).length,
  };
}

function send(report: ClientsReport): void {
  process.send?.(report);
}
