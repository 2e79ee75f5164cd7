import { AdmissionRule } from "./admission.ts";
import { BlocksHold } from "./blocks-hold.ts";
import { BoundedWaits } from "./bounded-waits.ts";
import { ContentTruth } from "./content-truth.ts";
import { EpochsIncrease } from "./epochs-increase.ts";
import { Explanations } from "./explanations.ts";
import { GaplessLog } from "./gapless-log.ts";
import { HoldsReported } from "./holds-reported.ts";
import { Recovers } from "./recovers.ts";
import type { CreateInvariant } from "./invariant.ts";
import { JoinsWhenReady } from "./joins-when-ready.ts";
import { KnownGoodSaved } from "./known-good-saved.ts";
import { KnownGoodServed } from "./known-good-served.ts";
import { LeasesInTick } from "./leases-in-tick.ts";
import { MassRemoval } from "./mass-removal.ts";
import { NeutralSwitches } from "./neutral-switches.ts";
import { NoInternalError } from "./no-internal-error.ts";
import { NoNeedlessLeaves } from "./no-needless-leaves.ts";
import { NoticesComplete } from "./notices-complete.ts";
import { PortOrder } from "./port-order.ts";
import { ProviderChangedFirst } from "./provider-changed-first.ts";
import { RemoteSteps } from "./remote-steps.ts";
import { StatusTruth } from "./status-truth.ts";
import { StopsClean } from "./stops-clean.ts";
import { SwitchRules } from "./switch-rules.ts";
import { TerminationsReported } from "./terminations-reported.ts";
import { StateBeforeEvents } from "./state-before-events.ts";
import { TrueDeltas } from "./true-deltas.ts";
import { WatchesMatch } from "./watches-match.ts";
import { WholeSets } from "./whole-sets.ts";

/** All invariants. They are checked in every run; the first one to report names the failure. */
export const INVARIANTS: readonly CreateInvariant[] = [
  (context) => new GaplessLog(context),
  (context) => new EpochsIncrease(context),
  (context) => new StateBeforeEvents(context),
  (context) => new ContentTruth(context),
  (context) => new TrueDeltas(context),
  (context) => new ProviderChangedFirst(context),
  (context) => new SwitchRules(context),
  (context) => new BlocksHold(context),
  (context) => new TerminationsReported(context),
  (context) => new PortOrder(context),
  (context) => new NoticesComplete(context),
  (context) => new LeasesInTick(context),
  (context) => new BoundedWaits(context),
  (context) => new AdmissionRule(context),
  (context) => new JoinsWhenReady(context),
  (context) => new RemoteSteps(context),
  (context) => new WholeSets(context),
  (context) => new WatchesMatch(context),
  (context) => new StatusTruth(context),
  (context) => new NeutralSwitches(context),
  (context) => new NoNeedlessLeaves(context),
  (context) => new MassRemoval(context),
  (context) => new HoldsReported(context),
  (context) => new KnownGoodServed(context),
  (context) => new KnownGoodSaved(context),
  (context) => new Explanations(context),
  (context) => new NoInternalError(context),
  (context) => new StopsClean(context),
  (context) => new Recovers(context),
];
