import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";

const { HOLDFAST_BACKENDS, HOLDFAST_REQUIRE_BACKENDS } = process.env;

/** Where a server such as `consul` is that the tests may start and kill. */
export function binaryOf(name: string): string {
  return findBinary(name) ?? name;
}

/** What a test needs: servers that it may start and kill itself. */
export type Need = "consul" | "kube-api";

/**
 * `describe` for tests on real servers. Where they are not there it is skipped, by name and with what is missing; with
 * `HOLDFAST_REQUIRE_BACKENDS=1` it fails instead.
 */
export function describeReal(name: string, needs: readonly Need[], body: () => void): void {
  const missing = needs.filter((need) => !isThere(need));
  const title =
    missing.length === 0 ? name : `${name} (needs ${missing.map((need) => HOW[need]).join(", ")})`;
  if (missing.length > 0 && HOLDFAST_REQUIRE_BACKENDS === "1")
    throw new Error(`nothing may be skipped here: ${title}`);
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- the tests are the caller's
  describe.skipIf(missing.length > 0)(title, body);
}

const HOW: Readonly<Record<Need, string>> = {
  consul: "consul in HOLDFAST_BACKENDS",
  "kube-api": "etcd and kube-api in HOLDFAST_BACKENDS",
};

const PROGRAMS: Readonly<Record<Need, readonly string[]>> = {
  consul: ["consul"],
  "kube-api": ["etcd", "etcdctl", "kube-api"],
};

function isThere(need: Need): boolean {
  return PROGRAMS[need].every((name) => findBinary(name) !== undefined);
}

function findBinary(name: string): string | undefined {
  if (HOLDFAST_BACKENDS === undefined) return undefined;
  return [join(HOLDFAST_BACKENDS, "bin", name), join(HOLDFAST_BACKENDS, name)].find((file) =>
    existsSync(file),
  );
}
