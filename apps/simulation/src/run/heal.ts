import { DEFAULT_MASS_REMOVAL } from "@holdfast/provisioning";
import { PORTS } from "../script/script.ts";
import type { World } from "../world/world.ts";

/** Within this a probe that was under way is over, an aborted one too. */
const PROBES_MS = 10_000;
/** Suppressed ids may be tried again after it. */
const SUPPRESSION_MS = 61_000;

/**
 * Makes everything well and lets as much time go by as it takes until it must have its effect: a registration under way, the
 * suppression of an id, a silence, a backoff, a late answer, the cooldown, and the backoff of a port.
 */
export async function heal(world: World, settle: () => Promise<void>): Promise<void> {
  const { backends, ports, disk, files, setting, clock } = world;
  world.trace.write("# everything is well");
  for (const backend of backends.values()) {
    backend.latencyMs = 0;
    backend.setMood("well");
  }
  disk.heal();
  files.heal();
  for (const port of PORTS) ports[port].setMood("well");
  await clock.advance(PROBES_MS);
  await settle();
  await ensureProvider(world);
  const { timeoutMs, backoffMaxMs, cooldownMs } = setting;
  const { removalDwellMs = cooldownMs, massRemoval } = world.life.guards;
  const { holdMs } = massRemoval === false ? { holdMs: 0 } : (massRemoval ?? DEFAULT_MASS_REMOVAL);
  // A retry may ask for 3 s on top of its backoff.
  await clock.advance(timeoutMs + 2 * backoffMaxMs + 3_000 + 2 * cooldownMs + 30_000);
  // What a dwell kept leaves, perhaps too much of it at once.
  await clock.advance(removalDwellMs + holdMs);
  await settle();
  for (const observer of world.observers) observer.healed?.(world.life);
}

/** Somebody must be there to believe. */
async function ensureProvider({ life, clock, trace }: World): Promise<void> {
  if (life.inForce.length > 0) return;
  await clock.advance(SUPPRESSION_MS);
  trace.write("# a provider for the end");
  const { registry } = life.service;
  // The set may be another one on the disk than in force.
  life.track("restoreSet", registry.restore(), () => life.store.loaded);
  await clock.settle();
  if (life.inForce.length > 0) return;
  const saviour = { id: "p", kind: "simulated", priority: 1, params: { variant: 0 } };
  life.track("reload", registry.reload([saviour]), () => [saviour]);
  await clock.settle();
}
