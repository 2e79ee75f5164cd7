import { readFile } from "node:fs/promises";

/** The states of a connection that its server has not closed: ESTABLISHED and CLOSE_WAIT (include/net/tcp_states.h). */
const OPEN_STATES: ReadonlySet<string | undefined> = new Set(["01", "08"]);

/** Counts the open IPv4 connections of the server that listens on this port of this machine. Needs Linux. */
export async function countConnections(port: number): Promise<number> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const [, ...lines] = (await readFile("/proc/net/tcp", "utf8")).trim().split("\n");
  const clients = lines.flatMap((line) => {
    const [, local, remote, state] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) === true && OPEN_STATES.has(state) ? [remote] : [];
  });
  // The file is not a snapshot: a connection can be listed twice when others change.
  return new Set(clients).size;
}
