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
import { TopologyReader, type CheckResult } from "./topology-reader.ts";

export interface WatchTopologyOptions {
  readonly descriptor: ProviderDescriptor<FileSettings>;
  readonly context: ProviderContext;
  /** Absolute path of the file. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Runs one watch of a topology file. Errors after its signal has aborted are ignored. */
export async function* watchTopology(options: WatchTopologyOptions): AsyncGenerator<SourceEvent, void> {
  const { descriptor, path, signal } = options;
  const { clock, heartbeatMs } = options.context;
  const { settleMs, pollMs, maxBytes } = descriptor.params;
  const format = formatOf(descriptor.params) ?? "json";
  const beatMs = heartbeatMs / 3;
  const reader = new TopologyReader({ path, format, maxBytes, clock });
  using pathWatch = new PathWatch({ path, clock });
  // A consumer that stopped reading leaves this generator suspended, but the abort still closes the watchers.
  using _ = whenAborted(signal, () => pathWatch[Symbol.dispose]());

  let members = MemberSet.empty;
  let accepted: string | undefined;
  let pending: { readonly fingerprint: string; readonly since: number } | undefined;
  let lastEventAt = clock.monotonic();

  const check = async (): Promise<CheckResult | undefined> => {
    await pathWatch.watchFolders(signal);
    return reader.check({ mustRead: pathWatch.takeChanged(), previous: members, signal });
  };

  while (!signal.aborted) {
    const result = await untilAborted(check(), signal);
    let waitMs = Math.min(pollMs, beatMs);
    if (result === undefined) {
      pending = undefined;
      waitMs = Math.min(waitMs, settleMs);
    } else if (result.fingerprint === accepted) {
      pending = undefined;
      if (result.at - lastEventAt >= beatMs) {
        lastEventAt = result.at;
        yield { type: "heartbeat" };
      }
    } else {
      const { at, found, fingerprint } = result;
      if (pending?.fingerprint !== fingerprint) pending = { fingerprint, since: at };
      // Half of a JSON file is never valid, but half of a YAML file can be.
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
