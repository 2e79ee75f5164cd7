import {
  ProvisioningError,
  systemClock,
  systemRandom,
  type ClusterNodeInput,
  type Clock,
  type Random,
  type Registrar,
} from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { Announcement } from "./announcement.ts";

export interface AnnounceOptions {
  /** Where to announce this process, for example `consulRegistrar({ service: "orders" })`. */
  readonly registrar: Registrar;
  /** This process, as others shall see it: `id`, `host` and `port` are required. */
  readonly self: ClusterNodeInput;
  /**
   * The signals of the operating system that make it leave; `true` for SIGTERM and SIGINT. A second signal ends the wait
   * for `drainMs`. When it has left, the signal ends the process, unless the program listens for that signal itself.
   * @defaultValue false
   */
  readonly signals?: boolean | readonly NodeJS.Signals[] | undefined;
  /**
   * How long to wait between the drain and `finish`, in milliseconds, so that callers notice the drain before this
   * process stops serving them. @defaultValue 5000
   */
  readonly drainMs?: number | undefined;
  /**
   * Called after the wait and before the entry is removed: finish the requests in progress, and close the server. An
   * error is a warning. @defaultValue nothing
   */
  readonly finish?: ((options: { readonly signal: AbortSignal }) => unknown) | undefined;
  /** How long `finish` may take, in milliseconds; then its signal aborts. @defaultValue 10000 */
  readonly finishMs?: number | undefined;
  /** How long removing the entry may take, in milliseconds. It expires by itself later. @defaultValue 5000 */
  readonly leaveMs?: number | undefined;
  /** The longest pause between two attempts after failures, in milliseconds. @defaultValue 5000 */
  readonly maxRetryMs?: number | undefined;
  /**
   * Receives what failed no call but should be known: a listener or `finish` that threw, settings that weaken security.
   * @defaultValue ignored
   */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/**
 * Announces this process, and keeps it announced until it leaves. Returns at once; `ready()` resolves when the backend
 * lists the process. Throws `VALIDATION_MALFORMED` when `self` is malformed, or the backend cannot hold it.
 */
export function announce(options: AnnounceOptions): Announcement {
  const { registrar, clock = systemClock, random = systemRandom, onWarning = () => undefined } = options;
  const { finish, drainMs = 5_000, finishMs = 10_000, leaveMs = 5_000, maxRetryMs = 5_000 } = options;
  assertDurations({ drainMs, finishMs, leaveMs, maxRetryMs });
  const registration = registrar.open(createNodeReader()(options.self), { clock });
  return new Announcement({
    registration,
    clock,
    random,
    drainMs,
    finish,
    finishMs,
    leaveMs,
    maxRetryMs,
    onWarning,
    signals: toSignals(options.signals),
    signalSource: process,
  });
}

function toSignals(signals: AnnounceOptions["signals"]): readonly NodeJS.Signals[] {
  if (signals === undefined || signals === false) return [];
  return signals === true ? ["SIGTERM", "SIGINT"] : signals;
}

function assertDurations(durations: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(durations)) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new ProvisioningError("VALIDATION_MALFORMED", `${name}: expected milliseconds, 0 or more`, {
      details: { path: name },
    });
  }
}
