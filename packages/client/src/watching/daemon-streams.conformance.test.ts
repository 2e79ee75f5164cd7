import { providerConformance } from "@holdfast/conformance";
import { defineAdapter } from "@holdfast/core/adapter";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { describe, test } from "vitest";
import * as z from "zod";
import { FakeDaemon } from "../../test/fake-daemon.ts";
import { DaemonStreams } from "./daemon-streams.ts";

describe("a provider that follows a daemon", () => {
  providerConformance({
    describe,
    test,
    harness: {
      setup() {
        const clock = new VirtualClock();
        const daemon = new FakeDaemon({ clock });
        daemon.publish([]);
        const { createAdapter } = defineAdapter<object, object>({
          kind: "holdfast",
          params: z.object({}),
          open({ descriptor: { id } }) {
            const { transport } = daemon;
            const source = { url: "http://daemon.test", clock, transport };
            const { probe, watch } = new DaemonStreams({ source }).topology({ providerId: id });
            return {
              probe: ({ signal }) => probe(signal),
              watch: ({ signal }) => watch(signal),
            };
          },
        });
        const heartbeatMs = 5_000;
        const descriptor = { id: "daemon", kind: "holdfast", priority: 0, params: {} };
        const provider = createAdapter().create(descriptor, {
          clock,
          random: createSeededRandom(1),
          heartbeatMs,
        });
        return {
          provider,
          time: clock,
          heartbeatMs,
          publish: (nodes) => daemon.publish(nodes),
          breakBackend() {
            daemon.mode = "down";
            daemon.disconnect();
          },
          hangBackend: () => void (daemon.mode = "hanging"),
          repairBackend: () => void (daemon.mode = "up"),
          endStream: () => {
            daemon.hub.drain("the daemon stops");
            daemon.restart();
            daemon.publish([]);
          },
          countOpen: () => daemon.openConnections,
          async teardown() {
            await provider[Symbol.asyncDispose]();
            await daemon.hub[Symbol.asyncDispose]();
          },
        };
      },
    },
  });
});
