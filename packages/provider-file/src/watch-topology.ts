import {
  createSnapshot,
  MemberSet,
  untilAborted,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
} from "@holdfast/core";
import { formatOf, type FileSettings } from "./file-params.ts";
import { PathWatch } from "./path-watch.ts";
import { TopologyReader, type Sighting } from "./topology-reader.ts";

export interface WatchTopologyOptions {
  readonly descriptor: ProviderDescriptor<FileSettings>;
  readonly context: ProviderContext;
  /** Absolute. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** One watch of a topology file; what it throws after its signal has aborted is ignored. */
export async function* watchTopology(options: WatchTopologyOptions): AsyncGenerator<SourceEvent, void> {
  const { descriptor, path, signal } = options;
  const { clock, heartbeatMs } = options.context;
  const { settleMs, pollMs, maxBytes } = descriptor.params;
  const format = formatOf(descriptor.params) ?? "json";
  const beatMs = heartbeatMs / 3;
  const reader = new TopologyReader({ path, format, maxBytes, clock });
  using pathWatch = new PathWatch({ path, clock });
  // A consumer that stopped pulling leaves this generator where it is; the watch closes all the same.
  using _ = whenAborted(signal, () => pathWatch[Symbol.dispose]());

  let members = MemberSet.empty;
  let accepted: string | undefined;
  let pending: { readonly fingerprint: string; readonly since: number } | undefined;
  let lastEventAt = clock.monotonic();

  const look = async (): Promise<Sighting | undefined> => {
    await pathWatch.arm(signal);
    return reader.look({ mustRead: pathWatch.takeTouched(), previous: members, signal });
  };

  while (!signal.aborted) {
    const sighting = await untilAborted(look(), signal);
    let waitMs = Math.min(pollMs, beatMs);
    if (sighting === undefined) {
      pending = undefined;
      waitMs = Math.min(waitMs, settleMs);
    } else if (sighting.fingerprint === accepted) {
      pending = undefined;
      if (sighting.at - lastEventAt >= beatMs) {
        lastEventAt = sighting.at;
        yield { type: "heartbeat" };
      }
    } else {
      const { at, found, fingerprint } = sighting;
      if (pending?.fingerprint !== fingerprint) pending = { fingerprint, since: at };
      // Half a JSON file is never valid, but half a YAML file can be.
      const isWhole = found.type === "members" && format === "json";
      const settlesAt = pending.since + (isWhole ? 0 : settleMs);
      if (at < settlesAt) {
        waitMs = Math.min(waitMs, settlesAt - clock.monotonic());
      } else if (found.type === "members") {
        ({ members } = found);
        accepted = fingerprint;
        pending = undefined;
        lastEventAt = clock.monotonic();
        const revision = fingerprint.slice(0, 12);
        const { observedAt } = found;
        yield {
          type: "snapshot",
          snapshot: createSnapshot({ providerId: descriptor.id, members, observedAt, revision }),
        };
      } else if (accepted !== undefined && found.error.code === "CONNECTIVITY_REFUSED") {
        yield { type: "ended" };
        return;
      } else {
        throw found.error;
      }
    }
    await pathWatch.wait(waitMs, signal);
  }
}
