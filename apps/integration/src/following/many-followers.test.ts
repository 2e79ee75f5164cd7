import { eventually, type DaemonLife } from "@holdfast-apps/lab";
import { sleep, systemClock } from "@holdfast/core";
import { expect, test } from "vitest";
import { FileDaemons, membersOf } from "./file-daemons.ts";
import { FollowerProcess } from "./follower-process.ts";

const FOLLOWERS = 1_000;
const MEMBERS = 1_000;

interface Content {
  readonly hash: string;
  readonly members: unknown;
}

/** The daemon's content once it has the version. */
function contentOf(daemon: DaemonLife, version: number): Promise<Content> {
  return eventually(async () => {
    const { members, hash } = (await daemon.topology()) as unknown as Content & {
      readonly members: readonly { readonly id: string; readonly port: number }[];
    };
    expect(members.find(({ id }) => id === "n0")?.port).toBe(version);
    return { members, hash };
  });
}

/** Waits until all followers have the content, the first one member by member. Returns what they did to get it. */
async function allHave(followers: FollowerProcess, count: number, { hash, members }: Content) {
  const requestedAt: number[] = [];
  let bytes = 0;
  await eventually(async () => {
    const report = await followers.report();
    requestedAt.push(...report.requestedAt);
    bytes += report.bytes;
    expect(report.contents).toEqual({ [hash]: count });
    expect(report.members).toEqual(members);
  });
  return { requestedAt, bytes };
}

/** The most requests within any period of this length. */
function peak(times: readonly number[], withinMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let from = 0;
  let most = 0;
  for (const [to, at] of sorted.entries()) {
    while (at - sorted[from]! > withinMs) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

// R7.5
test(
  `${FOLLOWERS} followers of a daemon that is killed and restarted come back spread over time, without the members`,
  { timeout: 180_000 },
  async () => {
    await using daemons = await FileDaemons.create(1);
    const settings = { http: { maxEventClients: FOLLOWERS + 100 } };
    daemons.publish(membersOf(1, MEMBERS));
    let daemon = await daemons.start(0, settings);
    const content = await contentOf(daemon, 1);
    await using followers = new FollowerProcess(FOLLOWERS, ...daemons.urls);
    await allHave(followers, FOLLOWERS, content);

    await daemon.kill();
    // Each has noticed it, and has failed to reconnect.
    await eventually(async () => expect((await followers.report()).contents).toEqual({ stale: FOLLOWERS }));
    await sleep(3_000, { clock: systemClock });
    await followers.report();
    const startedAt = systemClock.now();
    daemon = await daemons.start(0, settings);
    const { requestedAt, bytes } = await allHave(followers, FOLLOWERS, content);

    const after = requestedAt.filter((at) => at >= startedAt);
    // `herd.test.ts` of the client has the exact figures, in virtual time. This machine may delay many timers by the same pause.
    expect(peak(after, 100)).toBeLessThan(FOLLOWERS / 2);
    expect(after.length).toBeLessThan(FOLLOWERS * 4);
    // A member has about 100 bytes. Only those who come before the daemon has read its backend receive the members, as a change.
    expect(bytes / FOLLOWERS).toBeLessThan(MEMBERS * 50);

    daemons.publish(membersOf(2, MEMBERS));
    await allHave(followers, FOLLOWERS, await contentOf(daemon, 2));
  },
);

// R7.4 R7.5: with the limits of the daemon lowered, so that seconds do what an hour does otherwise.
test(
  "a follower whose process was stopped for longer than the daemon waits and keeps events for is read again as a whole",
  { timeout: 120_000 },
  async () => {
    await using daemons = await FileDaemons.create(1);
    const [url = ""] = daemons.urls;
    daemons.publish(membersOf(1, MEMBERS));
    const daemon = await daemons.start(0, { log: { retainedEvents: 10 } });
    await using stopped = new FollowerProcess(1, url);
    await using other = new FollowerProcess(1, url);
    const first = await contentOf(daemon, 1);
    await allHave(stopped, 1, first);
    await allHave(other, 1, first);

    process.kill(stopped.pid, "SIGSTOP");
    for (let version = 2; version <= 40; version++) {
      daemons.publish(membersOf(version, MEMBERS));
      await contentOf(daemon, version);
    }
    const last = await contentOf(daemon, 40);
    // It does not delay the other one.
    await allHave(other, 1, last);
    // The daemon disconnects clients that have not read for 10 s.
    await sleep(11_000, { clock: systemClock });
    process.kill(stopped.pid, "SIGCONT");
    await allHave(stopped, 1, last);
    daemons.publish(membersOf(41, MEMBERS));
    await allHave(stopped, 1, await contentOf(daemon, 41));
  },
);
