import { whenAborted } from "../time/abort.ts";
import type { ProviderSnapshot } from "../model/provider-snapshot.ts";
import type { TopologySource } from "../contracts/log/topology-source.ts";
import type { ReadOptions } from "../contracts/log/topology-reader.ts";
import { Wakeup } from "../time/wakeup.ts";

/** Like `TopologyReader.snapshots`, for any source. */
export async function* readSnapshots(
  source: TopologySource,
  { signal }: ReadOptions = {},
): AsyncGenerator<ProviderSnapshot, void> {
  const wakeup = new Wakeup();
  using _ = whenAborted(signal, () => wakeup.wake());
  const unsubscribe = source.onEvent(() => wakeup.wake());
  let seqNo = 0;
  try {
    while (signal?.aborted !== true) {
      const { snapshot, snapshotSeqNo, status } = source.state;
      if (snapshot !== undefined && snapshotSeqNo !== seqNo) {
        seqNo = snapshotSeqNo;
        yield snapshot;
        continue;
      }
      if (status === "stopped") return;
      await wakeup.wait();
    }
  } finally {
    unsubscribe();
  }
}
