import {
  createSnapshot,
  sleep,
  throwIfAborted,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
  type WatchOptions,
} from "@holdfast/core";
import { ProviderLife } from "@holdfast/core/adapter";
import { MembersReader } from "./members-reader.ts";
import { RosterClient } from "./roster-client.ts";
import type { RosterParams } from "./roster-params.ts";

/** A backend that does not wait as it is asked to must not be asked without end. */
const MIN_GAP_MS = 20;

/** One backend of kind `roster`. */
export class RosterProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<RosterParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #client: RosterClient;
  readonly #life: ProviderLife;

  constructor(descriptor: ProviderDescriptor<RosterParams>, context: ProviderContext) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#client = new RosterClient(descriptor.params, context.clock);
    this.#life = new ProviderLife(descriptor.id);
  }

  /** Reads and checks the whole content once. */
  probe(options: ProbeOptions): Promise<void> {
    return this.#life.probe(options.signal, async (signal) => {
      const answer = await this.#client.ask({ signal });
      if (answer.kind === "members") new MembersReader().read(answer.body);
    });
  }

  /** An aborted watch ends quietly; a disposed provider's throws `LIFECYCLE_STOPPED`. */
  watch(options: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(options.signal, (signal) => this.#events(signal));
  }

  /** Running watches end; every connection is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#life.end();
    this.#client.close();
    return Promise.resolve();
  }

  /** An error is thrown as it is: whoever watches backs off and watches again, which starts afresh. */
  async *#events(signal: AbortSignal): AsyncGenerator<SourceEvent, void> {
    const { clock, heartbeatMs } = this.#context;
    const reader = new MembersReader();
    let etag: string | undefined;
    for (;;) {
      // Twice a heartbeat, so that the answer is there in time. Silence is for whoever watches to notice.
      const answer = await this.#client.ask({ etag, waitMs: Math.floor(heartbeatMs / 2), signal });
      if (answer.kind === "gone") {
        yield { type: "ended" };
        return;
      }
      if (answer.kind === "unchanged") {
        // True life: the backend has just said that the last version still holds.
        yield { type: "heartbeat" };
      } else {
        const observedAt = clock.now();
        const content = reader.read(answer.body);
        const { id: providerId } = this.descriptor;
        yield {
          type: "snapshot",
          snapshot: createSnapshot({ ...content, providerId, observedAt, revision: answer.etag }),
        };
        etag = answer.etag;
      }
      throwIfAborted(signal);
      await sleep(MIN_GAP_MS, { clock, signal });
    }
  }
}
