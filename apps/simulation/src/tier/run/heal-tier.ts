import type { TierWorld } from "../world/tier-world.ts";

/**
 * The longest time that recovery may take: a silence, the last two waits between tries, a cooldown, a dwell, and the hold of a mass
 * removal.
 */
const RECOVERY_MS = 15_000 + 2 * 30_000 + 2 * 10_000 + 10_000 + 300_000;

/** Repairs all faults and lets as much time pass as recovery may take. */
export async function healTier(world: TierWorld, isOver: () => boolean): Promise<void> {
  world.trace.write("# all faults are repaired");
  for (const daemon of world.daemons.values()) {
    if (!daemon.isUp) daemon.start("newest");
    daemon.setBackend("up");
    if (daemon.server !== undefined) daemon.server.tamper = (frame) => frame;
    for (const node of daemon.state?.snapshot?.blockedNodes ?? []) daemon.hub?.restore(node);
  }
  for (const link of world.links) link.set("up");
  await world.advance(RECOVERY_MS, isOver);
  if (isOver()) return;
  for (const observer of world.observers) observer.healed?.();
}

/** Closes everything. */
export async function closeTier(world: TierWorld): Promise<void> {
  const { clock } = world;
  const followers = [...world.followers.values()];
  for (const follower of followers) follower.stop();
  await clock.until(Promise.all(followers.map((follower) => follower.ended())), 60_000);
  await clock.settle();
  for (const observer of world.observers) observer.followersClosed?.();
  const daemons = [...world.daemons.values()];
  for (const daemon of daemons) daemon.kill();
  for (const link of world.links) {
    link.set("refused");
    link.endZombies();
  }
  await clock.until(Promise.all(daemons.map((daemon) => daemon.ended())), 60_000);
  for (const observer of world.observers) observer.closed?.();
}
