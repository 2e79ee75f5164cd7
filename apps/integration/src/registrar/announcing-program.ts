// A program: node announcing-program.ts SETTINGS. It announces itself, listens for signals, and prints each event as one line of JSON. A
// line of its input is a command: `block MS` blocks the event loop, `drain` and `leave` call the function of that name.
import { createServer } from "node:http";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { announce, type AnnounceOptions } from "@holdfast/announce";
import type { Readiness } from "@holdfast/registrar-kubernetes";
import { systemClock, type ClusterNodeInput, type Registrar } from "@holdfast/core";

/** How to run the program, as JSON in its first argument. */
export interface AnnouncingSettings {
  readonly kind: "file" | "consul" | "kubernetes";
  readonly params: Readonly<Record<string, unknown>>;
  /** The port is 0 for any free one. */
  readonly self: ClusterNodeInput;
  readonly options?: Pick<AnnounceOptions, "drainMs" | "leaveMs" | "maxRetryMs">;
}

/** The response to a readiness probe. */
let readiness: Pick<Readiness, "status" | "text"> = { status: 200, text: "ready" };

function print(line: object): void {
  process.stdout.write(`${JSON.stringify({ at: systemClock.now(), ...line })}\n`);
}

async function createRegistrar({ kind, params }: AnnouncingSettings, port: number): Promise<Registrar> {
  if (kind === "file") {
    const { fileRegistrar } = await import("@holdfast/registrar-file");
    return fileRegistrar(params as unknown as Parameters<typeof fileRegistrar>[0]);
  }
  if (kind === "kubernetes") {
    const { kubernetesRegistrar } = await import("@holdfast/registrar-kubernetes");
    const registrar = kubernetesRegistrar(params);
    ({ readiness } = registrar);
    return registrar;
  }
  const { consulRegistrar } = await import("@holdfast/registrar-consul");
  // A check that names no port is one of the server below.
  const check = params["check"] as { readonly http: string } | undefined;
  const withPort = check && { check: { ...check, http: check.http.replace("PORT", String(port)) } };
  return consulRegistrar({ ...params, ...withPort } as unknown as Parameters<typeof consulRegistrar>[0]);
}

const settings = JSON.parse(process.argv[2] ?? "") as AnnouncingSettings;
const server = createServer((_, response) => void response.writeHead(readiness.status).end(readiness.text));
server.listen(settings.self.port, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as { readonly port: number };

const announcement = announce({
  registrar: await createRegistrar(settings, port),
  self: { ...settings.self, port },
  signals: true,
  finish() {
    print({ type: "finish" });
    server.close();
  },
  ...settings.options,
});
announcement.onChange(print);
print({ type: "started", port });

const commands = createInterface({ input: process.stdin });
commands.on("line", (line) => {
  const [command, argument] = line.split(" ");
  if (command === "block") {
    const until = systemClock.monotonic() + Number(argument);
    while (systemClock.monotonic() < until);
  } else if (command === "drain") void announcement.drain();
  else void announcement.leave();
});
await announcement.untilLeft();
commands.close();
process.stdin.destroy();
