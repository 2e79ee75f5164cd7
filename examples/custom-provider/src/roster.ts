import { createSnapshot, sleep } from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import { MembersReader } from "./members-reader.ts";
import { RosterClient } from "./roster-client.ts";
import { rosterParamsSchema } from "./roster-params.ts";

/** The least time between two requests, in milliseconds, for a backend that does not wait as it is asked to. */
const MIN_GAP_MS = 20;

/** A provider of kind `roster`. `defineAdapter` ends what is running when a signal aborts or the provider is disposed of. */
export const roster = defineAdapter({
  kind: "roster",
  params: rosterParamsSchema,
  open({ descriptor, clock, heartbeatMs }) {
    const client = new RosterClient(descriptor.params, clock);
    return {
      /** Reads and checks the whole content once. */
      async probe({ signal }) {
        const answer = await client.ask({ signal });
        if (answer.kind === "members") new MembersReader().read(answer.body);
      },

      /** Throws errors as they are: the failover waits and calls `watch` again, which starts from the beginning. */
      async *watch({ signal }) {
        const reader = new MembersReader();
        let etag: string | undefined;
        for (;;) {
          // Half a heartbeat, so that the answer is there in time. The failover notices a backend that does not answer.
          const answer = await client.ask({ etag, waitMs: Math.floor(heartbeatMs / 2), signal });
          if (answer.kind === "gone") {
            yield { type: "ended" };
            return;
          }
          if (answer.kind === "unchanged") {
            // The backend has just confirmed that the last version is current.
            yield { type: "heartbeat" };
          } else {
            const content = { ...reader.read(answer.body), observedAt: clock.now(), revision: answer.etag };
            yield { type: "snapshot", snapshot: createSnapshot({ ...content, providerId: descriptor.id }) };
            ({ etag } = answer);
          }
          await sleep(MIN_GAP_MS, { clock, signal });
        }
      },

      close: () => client.close(),
    };
  },
});

/** `holdfast run` loads a package by this name. */
export const { createAdapter } = roster;
