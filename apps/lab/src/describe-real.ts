import { describe } from "vitest";
import { hasOwnConsul, hasOwnKubernetes } from "./servers/own-servers.ts";
import { arePrograms } from "./servers/programs.ts";

const { HOLDFAST_REQUIRE_BACKENDS } = process.env;

/**
 * What a test needs. `consul program` and `kube-api program`: servers that it starts and kills itself. `consul` and
 * `kubernetes`: one to read and write, which may be the user's.
 */
export type Need = "consul program" | "kube-api program" | "consul" | "kubernetes";

/** What a need is met by, in the words of a test's title. */
const HOW: Readonly<Record<Need, string>> = {
  "consul program": "consul in HOLDFAST_BACKENDS",
  "kube-api program": "etcd, etcdctl and kube-api in HOLDFAST_BACKENDS",
  consul: "CONSUL_HTTP_ADDR, or consul in HOLDFAST_BACKENDS",
  kubernetes: "KUBECONFIG, or etcd, etcdctl and kube-api in HOLDFAST_BACKENDS",
};

/**
 * `describe` for tests on real servers. Where they are not there it is skipped, by name and with what is missing; with
 * `HOLDFAST_REQUIRE_BACKENDS=1` it fails instead.
 */
export function describeReal(name: string, needs: readonly Need[], body: () => void): void {
  const missing = needs.filter((need) => !isMet(need));
  const title =
    missing.length === 0 ? name : `${name} (needs ${missing.map((need) => HOW[need]).join("; ")})`;
  if (missing.length > 0 && HOLDFAST_REQUIRE_BACKENDS === "1")
    throw new Error(`nothing may be skipped here: ${title}`);
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- the tests are the caller's
  describe.skipIf(missing.length > 0)(title, body);
}

function isMet(need: Need): boolean {
  switch (need) {
    case "consul program":
      return arePrograms("consul");
    case "kube-api program":
      return arePrograms("etcd", "etcdctl", "kube-api");
    case "consul":
      return hasOwnConsul() || isMet("consul program");
    default:
      return hasOwnKubernetes() || isMet("kube-api program");
  }
}
