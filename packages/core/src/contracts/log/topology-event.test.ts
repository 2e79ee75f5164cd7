import { expectTypeOf, test } from "vitest";
import type { SourceEvent } from "../provider/source-event.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";
import type { SwitchReason } from "../provider/switch-reason.ts";
import type { SnapshotEvent, TopologyEvent, TopologyNotice } from "./topology-event.ts";
import type { TopologyStatus } from "./topology-state.ts";

test("the events of the log are a closed union discriminated by kind", () => {
  expectTypeOf<TopologyEvent["kind"]>().toEqualTypeOf<
    | "snapshot"
    | "provider_changed"
    | "stream_terminated"
    | "health_changed"
    | "status_changed"
    | "guard_changed"
  >();
  expectTypeOf<Extract<TopologyEvent, { kind: "snapshot" }>>().toEqualTypeOf<SnapshotEvent>();
  expectTypeOf<TopologyEvent["seqNo"]>().toEqualTypeOf<number>();
  expectTypeOf<TopologyEvent["epoch"]>().toEqualTypeOf<string>();
});

test("notices are events, and snapshots are not notices", () => {
  expectTypeOf<TopologyNotice>().toExtend<TopologyEvent>();
  expectTypeOf<TopologyNotice["kind"]>().toEqualTypeOf<
    "provider_changed" | "stream_terminated" | "status_changed" | "guard_changed"
  >();
});

test("an adapter reports a closed union of events", () => {
  expectTypeOf<SourceEvent["type"]>().toEqualTypeOf<"snapshot" | "heartbeat" | "held" | "ended">();
});

test("states and reasons are closed unions", () => {
  expectTypeOf<TopologyStatus>().toEqualTypeOf<
    "starting" | "ready" | "degraded" | "empty" | "unavailable" | "draining" | "stopped"
  >();
  expectTypeOf<ProviderHealth>().toEqualTypeOf<
    "idle" | "connecting" | "healthy" | "degraded" | "unreachable" | "disabled"
  >();
  expectTypeOf<SwitchReason>().toEqualTypeOf<
    | "timeout"
    | "errors"
    | "stream_ended"
    | "health_degraded"
    | "recovered"
    | "manual_override"
    | "removed_by_reload"
  >();
});
