import type { ClusterProvider } from "@holdfast/core";
import type { WatchRecording } from "@holdfast/conformance";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  type Backend,
  eventually,
  type Fault,
  HttpGateway,
  openBackend,
  uniqueName,
} from "@holdfast-apps/lab";
import { createRealProvider, failureOf, probe, shows, watch } from "./watched-real.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const respondWith = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): Extract<Fault, { kind: "response" }> => ({
  kind: "response",
  status,
  headers,
  body,
});
/** Small, so that an endless body exceeds it soon. */
const MAX_BYTES = 262_144;
const JSON_TYPE = { "content-type": "application/json" };
const HTML = "<!doctype html><html><body><h1>Sign in to your network</h1></body></html>";

/** The error of a watch for each fault. A probe rejects with the same error, but with `CONNECTIVITY_REFUSED` instead of `STREAM_FAILED`. */
const FAULTS: readonly (readonly [name: string, fault: Fault, expected: Expected])[] = [
  ["a reset in the middle of a body", { kind: "cut", by: "reset" }, { code: "STREAM_FAILED" }],
  ["a FIN in the middle of a body", { kind: "cut", by: "fin" }, { code: "STREAM_FAILED" }],
  [
    "429 with Retry-After",
    respondWith(429, { "retry-after": "7", "content-type": "text/plain" }, "rate limit exceeded"),
    { code: "CONNECTIVITY_OVERLOADED", details: { status: 429, retryAfterMs: 7_000 } },
  ],
  [
    "a 500",
    respondWith(500, JSON_TYPE, "{}"),
    { code: "CONNECTIVITY_UNAVAILABLE", details: { status: 500 } },
  ],
  ["a 503", respondWith(503, {}, HTML), { code: "CONNECTIVITY_UNAVAILABLE", details: { status: 503 } }],
  ["a login page", respondWith(200, { "content-type": "text/html" }, HTML), { code: "STREAM_INVALID_DATA" }],
  [
    "JSON of another server",
    respondWith(200, JSON_TYPE, `{"status":"ok"}\n`),
    // Responses of Consul have an index; this one does not.
    { code: expect.stringMatching(/^STREAM_(?:INVALID_DATA|INDEX_ROLLBACK)$/) },
  ],
  [
    "an endless body",
    { ...respondWith(200, { ...JSON_TYPE, "x-consul-index": "999999999999" }, `[`), isEndless: true },
    { code: "STREAM_INVALID_DATA" },
  ],
];

interface Expected {
  readonly code: unknown;
  readonly details?: object;
}

for (const kind of ["consul", "kubernetes"] as const) {
  describeReal(`${kind === "consul" ? "Consul" : "Kubernetes"} behind a faulty network`, [kind], () => {
    let behind: Backend;
    let gateway: HttpGateway;
    let service: string;
    let provider: ClusterProvider;
    let recordings: WatchRecording[];

    beforeAll(async () => {
      behind = await openBackend(kind);
    });
    beforeEach(async () => {
      service = uniqueName();
      recordings = [];
      gateway = await HttpGateway.listen(behind.target);
      const params = { ...behind.params(gateway.address, service), maxBytes: MAX_BYTES };
      provider = createRealProvider(kind, params, kind === "consul" ? 500 : 2_000);
      await behind.publish(service, [node("a"), node("b")]);
    });
    afterEach(async () => {
      // No member was ever removed by mistake, and no connection stays open.
      for (const { snapshots } of recordings)
        for (const { members } of snapshots) expect(members.size).toBeGreaterThanOrEqual(2);
      await provider[Symbol.asyncDispose]();
      await eventually(() => expect(gateway.connections).toBe(0));
      await gateway[Symbol.asyncDispose]();
      await behind.publish(service, []);
    });
    afterAll(() => behind[Symbol.asyncDispose]());

    function record(): WatchRecording {
      const recording = watch(provider);
      recordings.push(recording);
      return recording;
    }

    test.for(FAULTS)(
      "%s is reported with the right code, never as an empty service, and the watch recovers",
      async ([, fault, expected]) => {
        // R2.2 R5.5 R5.6
        const running = record();
        await shows(running, "a", "b");
        gateway.fail(fault);
        // A change, so that the running watch receives a response.
        await behind.publish(service, [node("a"), node("b"), node("c")]);
        expect(await failureOf(running)).toMatchObject(expected);
        const fresh = record();
        expect(await failureOf(fresh)).toMatchObject(expected);
        expect(fresh.snapshots).toEqual([]);
        const toProbe = expected.code === "STREAM_FAILED" ? { code: "CONNECTIVITY_REFUSED" } : expected;
        expect(await probe(provider)).toMatchObject(toProbe);
        gateway.pass();
        expect(await probe(provider)).toBeUndefined();
        const after = record();
        await shows(after, "a", "b", "c");
        await behind.publish(service, [node("b"), node("c"), node("d")]);
        await shows(after, "b", "c", "d");
        after.abort();
      },
    );

    test("requests without a response cause a timeout", async () => {
      // R1.4 R5.6
      gateway.fail({ kind: "silence" });
      expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
      const fresh = record();
      expect(await failureOf(fresh)).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
      expect(fresh.events).toEqual([]);
      gateway.pass();
      const after = record();
      await shows(after, "a", "b");
      after.abort();
    });

    test("a slow network only costs time", async () => {
      gateway.fail({ kind: "latency", ms: 200 });
      expect(await probe(provider)).toBeUndefined();
      const recording = record();
      await shows(recording, "a", "b");
      await behind.publish(service, [node("a"), node("b"), node("c")]);
      await shows(recording, "a", "b", "c");
      const before = recording.events.length;
      await recording.waitFor("two more signs of life", () =>
        recording.events.length >= before + 2 ? true : undefined,
      );
      expect(recording.outcome.kind).toBe("running");
      recording.abort();
    });
  });
}
