import { watch } from "node:fs";
import { join } from "node:path";
import {
  createSnapshot,
  MemberSet,
  throwIfAborted,
  untilAborted,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type ProvisioningError,
  type SkippedEntries,
  type SourceEvent,
} from "@holdfast/core";
import { PathWatch } from "../path-watch.ts";
import { toProvisioningError } from "../to-provisioning-error.ts";
import type { FolderSettings } from "./folder-params.ts";
import { FolderReader, type FolderContent } from "./folder-reader.ts";

export interface WatchFolderOptions {
  readonly descriptor: ProviderDescriptor<FolderSettings>;
  readonly context: ProviderContext;
  /** Absolute path of the folder. */
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Runs one watch of a folder. Errors after its signal has aborted are ignored. */
export async function* watchFolder(options: WatchFolderOptions): AsyncGenerator<SourceEvent, void> {
  const { descriptor, path, signal } = options;
  const { clock, heartbeatMs } = options.context;
  const { settleMs, pollMs, maxBytes } = descriptor.params;
  const beatMs = heartbeatMs / 3;
  const reader = new FolderReader({ path, maxBytes, settleMs, clock });
  using pathWatch = new PathWatch({
    // Any name in the folder, so that the folder is watched.
    path: join(path, "*"),
    clock,
    watchFolder: (folder, onChange) =>
      watch(folder, (type, name) => {
        // Most notifications are beats of registered processes. The next check is early enough for them.
        if (type === "rename" || name === null || !reader.isLeased(name)) onChange(type, name);
      }),
  });
  // A consumer that stopped reading leaves this generator suspended, but the abort still closes the watchers.
  using _ = whenAborted(signal, () => pathWatch[Symbol.dispose]());

  let members: MemberSet | undefined;
  let skipped: SkippedEntries | undefined;
  let failedAt: number | undefined;
  let lastEventAt = clock.monotonic();

  const check = async (): Promise<FolderContent | ProvisioningError> => {
    await pathWatch.watchFolders(signal);
    try {
      return await reader.check(signal);
    } catch (error) {
      throwIfAborted(signal);
      return toProvisioningError(error, path, "the folder");
    }
  };

  while (!signal.aborted) {
    const at = clock.monotonic();
    const found = await untilAborted(check(), signal);
    let waitMs = Math.min(pollMs, beatMs);
    if ("code" in found) {
      failedAt ??= at;
      const settleLeftMs = failedAt + settleMs - clock.monotonic();
      if (settleLeftMs <= 0) {
        if (members === undefined || found.code !== "CONNECTIVITY_REFUSED") throw found;
        yield { type: "ended" };
        return;
      }
      waitMs = Math.min(waitMs, settleLeftMs);
    } else {
      failedAt = undefined;
      waitMs = Math.min(waitMs, found.dueInMs);
      const next = (members ?? MemberSet.empty).replace(found.members);
      if (next !== members || !isSame(found.skipped, skipped)) {
        members = next;
        ({ skipped } = found);
        lastEventAt = at;
        const { observedAt } = found;
        const snapshot = createSnapshot({ providerId: descriptor.id, members, observedAt, skipped });
        yield { type: "snapshot", snapshot };
      } else if (at - lastEventAt >= beatMs) {
        lastEventAt = at;
        yield { type: "heartbeat" };
      }
    }
    // A lease ends when its time is over, not before.
    await pathWatch.wait(Math.max(waitMs, 1), signal);
  }
}

function isSame(a: SkippedEntries | undefined, b: SkippedEntries | undefined): boolean {
  return a?.count === b?.count && a?.reasons.join("\n") === b?.reasons.join("\n");
}
