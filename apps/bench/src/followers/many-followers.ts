import { arePrograms } from "@holdfast-apps/lab";
import type { Figure } from "../measure.ts";
import { benchConsulWatchers } from "./bench-consul-watchers.ts";
import { benchConnecting, benchFollowers } from "./bench-followers.ts";
import { installProgram, SOURCE_PROGRAM } from "./daemon-program.ts";

const MEMBERS = 10_000;

/**
 * Measures what thousands of clients of `/events` cost the daemon, and, where the program of Consul is present, what the same clients cost
 * that ask Consul directly. `isQuick`: few clients and members, as a check that everything works.
 */
export async function* benchManyFollowers(isQuick: boolean): AsyncGenerator<readonly Figure[], void> {
  const members = isQuick ? 1_000 : MEMBERS;
  if (isQuick) {
    const options = { program: SOURCE_PROGRAM, members, durationMs: 1_000 };
    yield await benchFollowers(50, options);
    yield await benchConnecting(50, options);
  } else {
    await using program = await installProgram();
    const options = { program, members, durationMs: 20_000 };
    for (const clients of [1_000, 2_000, 5_000]) yield await benchFollowers(clients, options);
    yield await benchConnecting(1_000, options);
  }
  if (!arePrograms("consul")) return;
  yield await benchConsulWatchers({ members, clients: 10, changes: isQuick ? 2 : 10 });
}
