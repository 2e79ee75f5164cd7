import { DEFAULT_MASS_REMOVAL } from "@holdfast/provisioning";
import { PORTS } from "../script/script.ts";
import type { World } from "../world/world.ts";

/** Time within which a probe in progress ends, also an aborted one. */
const PROBES_MS = 10_000;
/** Time after which suppressed ids may be tried again. */
const SUPPRESSION_MS = 61_000;

/**
 * Repairs all faults and lets as much time pass as recovery may take: a registration in progress, the suppression of an
 * id, a silence, a backoff, a late response, the cooldown, and the backoff of a port.
 */
export async function heal(world: World, settle: () => Promise<void>): Promise<void> {
  const { backends, ports, disk, files, setting, clock } = world;
  world.trace.write("# all faults are repaired");
  for (const backend of backends.values()) {
    backend.latencyMs = 0;
    backend.setBehaviour("well");
  }
  disk.heal();
  files.heal();
  for (const port of PORTS) ports[port].setBehaviour("well");
  await clock.advance(PROBES_MS);
  await settle();
  await ensureProvider(world);
  const { timeoutMs, backoffMaxMs, cooldownMs } = setting;
  const { removalDwellMs = cooldownMs, massRemoval } = world.life.guards;
  const { holdMs } = massRemoval === false ? { holdMs: 0 } : (massRemoval ?? DEFAULT_MASS_REMOVAL);
  // A backend may ask for a retry after 3 s in addition to the backoff.
  await clock.advance(timeoutMs + 2 * backoffMaxMs + 3_000 + 2 * cooldownMs + 30_000);
  // Members kept by a dwell are removed, possibly as a mass removal.
  await clock.advance(removalDwellMs + holdMs);
  await settle();
  for (const observer of world.observers) observer.healed?.(world.life);
}

/** At least one provider must be in force. */
async function ensureProvider({ life, clock, trace }: World): Promise<void> {
  if (life.inForce.length > 0) return;
  await clock.advance(SUPPRESSION_MS);
  trace.write("# a provider for the recovery");
  const { registry } = life.service;
  // The set on the disk may differ from the one in force.
  life.track("restoreSet", registry.restore(), () => life.store.loaded);
  await clock.settle();
  if (life.inForce.length > 0) return;
  const saviour = { id: "p", kind: "simulated", priority: 1, params: { variant: 0 } };
  life.track("reload", registry.reload([saviour]), () => [saviour]);
  await clock.settle();
}
