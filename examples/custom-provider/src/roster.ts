import { createSnapshot, sleep } from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import { MembersReader } from "./members-reader.ts";
import { RosterClient } from "./roster-client.ts";
import { rosterParamsSchema } from "./roster-params.ts";

/** The shortest time between two requests, in milliseconds, for a backend that ignores `waitMs`. */
const MIN_GAP_MS = 20;

/**
 * A provider of kind `roster`. `defineAdapter` stops a running `probe` or `watch` when its signal aborts or the
 * provider is disposed.
 */
export const roster = defineAdapter({
  kind: "roster",
  params: rosterParamsSchema,
  open({ descriptor, clock, heartbeatMs }) {
    const client = new RosterClient(descriptor.params, clock);
    return {
      /** Requests the members once and checks them. */
      async probe({ signal }) {
        const response = await client.request({ signal });
        if (response.kind === "members") new MembersReader().read(response.body);
      },

      /**
       * Does not handle errors: after an error the failover waits and calls `watch` again, which starts from the
       * beginning.
       */
      async *watch({ signal }) {
        const reader = new MembersReader();
        let etag: string | undefined;
        for (;;) {
          // Half the heartbeat interval, so that the response arrives in time. The failover detects a backend that does
          // not respond.
          const response = await client.request({ etag, waitMs: Math.floor(heartbeatMs / 2), signal });
          if (response.kind === "gone") {
            yield { type: "ended" };
            return;
          }
          if (response.kind === "unchanged") {
            // The backend has just confirmed that the last version is current.
            yield { type: "heartbeat" };
          } else {
            const content = {
              ...reader.read(response.body),
              observedAt: clock.now(),
              revision: response.etag,
            };
            yield { type: "snapshot", snapshot: createSnapshot({ ...content, providerId: descriptor.id }) };
            ({ etag } = response);
          }
          await sleep(MIN_GAP_MS, { clock, signal });
        }
      },

      close: () => client.close(),
    };
  },
});

/** `holdfast run` imports this name from the package. */
export const { createAdapter } = roster;
