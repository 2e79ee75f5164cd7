import { assertUnpolluted, fuzzRuns, mutateBytes, mutateJson } from "@holdfast/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseExecCredential } from "./exec-credential.ts";

const V1 = "client.authentication.k8s.io/v1";
const SAMPLE = {
  kind: "ExecCredential",
  apiVersion: V1,
  spec: { interactive: false },
  status: {
    expirationTimestamp: "2030-01-01T00:00:00Z",
    token: "t",
    clientCertificateData: "C",
    clientKeyData: "K",
  },
};

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = fc.array(mutation, { maxLength: 3 });

function check(output: string): void {
  const credential = parseExecCredential(output, V1);
  assertUnpolluted();
  if (credential === undefined) return;
  const { token, cert, key, expiresAt } = credential;
  for (const text of [token, cert, key]) expect(text === undefined || text.length > 0).toBe(true);
  expect(token !== undefined || (cert !== undefined && key !== undefined)).toBe(true);
  expect(expiresAt === undefined || Number.isFinite(expiresAt)).toBe(true);
}

test("any output of a plugin is a usable credential or none", () => {
  fc.assert(
    fc.property(mutations, mutations, (structure, text) => {
      check(mutateBytes(Buffer.from(JSON.stringify(mutateJson(SAMPLE, structure))), text).toString());
    }),
    { numRuns: fuzzRuns(1_000) },
  );
  fc.assert(fc.property(fc.json(), check), { numRuns: fuzzRuns(200) });
  for (const output of ["", "[".repeat(200_000), `{"status":`.repeat(100_000)]) check(output);
});
