import { afterAll, beforeAll, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  type Backend,
  type BackendKind,
  type Fault,
  HttpGateway,
  openBackend,
  uniqueName,
} from "@holdfast-apps/lab";
import { RealService } from "./real-service.ts";
import { stopInOrder } from "./stop-in-order.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const OVERLOADED: Fault = { kind: "response", status: 503, headers: {}, body: "" };

const SCENARIOS: readonly (readonly [
  primary: BackendKind,
  standby: BackendKind,
  what: string,
  fault: Fault,
  reason: string,
])[] = [
  ["consul", "kubernetes", "responds only with 503", OVERLOADED, "errors"],
  ["consul", "kubernetes", "sends nothing more", { kind: "silence" }, "timeout"],
  ["kubernetes", "consul", "responds only with 503", OVERLOADED, "errors"],
  ["kubernetes", "consul", "sends nothing more", { kind: "silence" }, "timeout"],
];

describeReal("failover between Consul and Kubernetes", ["consul", "kubernetes"], () => {
  let backends: Readonly<Record<BackendKind, Backend>>;

  beforeAll(async () => {
    const [consul, kubernetes] = await Promise.all([openBackend("consul"), openBackend("kubernetes")]);
    backends = { consul, kubernetes };
  });
  afterAll(() =>
    Promise.all([backends.consul[Symbol.asyncDispose](), backends.kubernetes[Symbol.asyncDispose]()]),
  );

  test.for(SCENARIOS)(
    "switches from %s to %s and back when the first %s, and reaches all three ports",
    async ([primary, standby, , fault, reason]) => {
      // R2.1 R2.5 R2.6 R3.3 R3.4 R4.1 R5.6 R6.3
      const service = uniqueName();
      await backends[primary].publish(service, [node("a"), node("b")]);
      await backends[standby].publish(service, [node("b"), node("s")]);
      await using first = await HttpGateway.listen(backends[primary].target);
      await using second = await HttpGateway.listen(backends[standby].target);
      const real = await RealService.started([
        { id: "first", kind: primary, priority: 2, params: backends[primary].params(first.address, service) },
        {
          id: "second",
          kind: standby,
          priority: 1,
          params: backends[standby].params(second.address, service),
        },
      ]);
      try {
        await real.agrees("first", "a", "b");
        await real.isReadyFrom("first");
        first.fail(fault);
        await real.agrees("second", "b", "s");
        await real.isReadyFrom("second");
        // R5.3: the first provider is not healthy until it responds again.
        expect(real.healthOf("first")).not.toBe("healthy");
        await backends[standby].publish(service, [node("b"), node("s"), node("t")]);
        await real.agrees("second", "b", "s", "t");
        first.pass();
        await real.agrees("first", "a", "b");
        await real.isReadyFrom("first");
        await backends[primary].publish(service, [node("b"), node("c")]);
        await real.agrees("first", "b", "c");
        const switches = [`first → second: ${reason}`, "second → first: recovered"];
        for (const port of ["placement", "partition"] as const) expect(real.switches(port)).toEqual(switches);
        // The second provider was available all the time.
        expect(real.statuses).not.toContain("unavailable");
        await stopInOrder(real, [first, second]);
      } finally {
        await real.service.stop();
        await backends[primary].publish(service, []);
        await backends[standby].publish(service, []);
      }
    },
  );
});
