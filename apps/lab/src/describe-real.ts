import { describe } from "vitest";
import { hasUserConsul, hasUserKubernetes } from "./servers/user-servers.ts";
import { chromiumPath } from "./chromium-path.ts";
import { arePrograms } from "./servers/programs.ts";

const { HOLDFAST_REQUIRE_BACKENDS } = process.env;

/**
 * What a test needs. `consul program` and `kube-api program`: programs of servers that the test starts and kills. `consul` and
 * `kubernetes`: a server to read and write, which may be the user's. `chromium`: the browser.
 */
export type Need = "consul program" | "kube-api program" | "consul" | "kubernetes" | "chromium";

/** How to provide each need; part of the title of a skipped test. */
const HOW: Readonly<Record<Need, string>> = {
  "consul program": "consul in HOLDFAST_BACKENDS",
  "kube-api program": "etcd, etcdctl and kube-api in HOLDFAST_BACKENDS",
  consul: "CONSUL_HTTP_ADDR, or consul in HOLDFAST_BACKENDS",
  chromium: "HOLDFAST_CHROMIUM, or chromium in /usr/bin",
  kubernetes: "KUBECONFIG, or etcd, etcdctl and kube-api in HOLDFAST_BACKENDS",
};

/**
 * `describe` for tests on real servers. Without the servers the tests are skipped, and the title says what is missing. With
 * `HOLDFAST_REQUIRE_BACKENDS=1` this throws instead.
 */
export function describeReal(name: string, needs: readonly Need[], body: () => void): void {
  const missing = needs.filter((need) => !isMet(need));
  const title =
    missing.length === 0 ? name : `${name} (needs ${missing.map((need) => HOW[need]).join("; ")})`;
  if (missing.length > 0 && HOLDFAST_REQUIRE_BACKENDS === "1")
    throw new Error(`HOLDFAST_REQUIRE_BACKENDS=1 forbids to skip: ${title}`);
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- title and body come from the caller
  describe.skipIf(missing.length > 0)(title, body);
}

function isMet(need: Need): boolean {
  switch (need) {
    case "consul program":
      return arePrograms("consul");
    case "kube-api program":
      return arePrograms("etcd", "etcdctl", "kube-api");
    case "chromium":
      return chromiumPath() !== undefined;
    case "consul":
      return hasUserConsul() || isMet("consul program");
    default:
      return hasUserKubernetes() || isMet("kube-api program");
  }
}
