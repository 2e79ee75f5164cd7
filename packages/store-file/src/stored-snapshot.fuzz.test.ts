import { createHash } from "node:crypto";
import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  outcomeOf,
} from "@holdfast/testing";
import { createClusterNode, createSnapshot, MemberSet, systemClock, type KnownGood } from "@holdfast/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSnapshot, encodeSnapshot } from "./stored-snapshot.ts";

const SECRET = "canary-7f3a9c-secret";
const FILE = "known-good.jsonl";

const members = MemberSet.from(
  ["a", "b", "c"].map((id) =>
    createClusterNode({
      id: `${id}-${SECRET}`,
      host: SECRET,
      port: 80,
      zone: SECRET,
      weight: 1,
      tags: [SECRET],
      metadata: { [SECRET]: SECRET },
    }),
  ),
);
const SAMPLE: KnownGood = {
  snapshot: createSnapshot({ providerId: "p", revision: SECRET, observedAt: 1, members }),
  confirmedAt: 2,
  source: SECRET,
};
const SOUND = encode(SAMPLE);
const LINES = SOUND.toString().trimEnd().split("\n").slice(0, -1);

function encode(known: KnownGood): Buffer {
  return Buffer.concat([...encodeSnapshot(known)]);
}

function decode(bytes: Uint8Array): Promise<KnownGood> {
  return decodeSnapshot(bytes, { file: FILE, clock: systemClock });
}

/** Appends the matching checksum line. */
function seal(body: Uint8Array): Buffer {
  const sha256 = createHash("sha256").update(body).digest("hex");
  return Buffer.concat([body, Buffer.from(`${JSON.stringify({ sha256 })}\n`)]);
}

async function check(bytes: Uint8Array): Promise<void> {
  const outcome = await outcomeOf(() => decode(bytes));
  assertUnpolluted();
  if ("error" in outcome) {
    expect(outcome.error.code).toBe("STORE_CORRUPTED");
    expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
    return;
  }
  const again = await decode(encode(outcome.value));
  expect(again.snapshot.hash).toBe(outcome.value.snapshot.hash);
}

test("an arbitrary stored snapshot is read exactly or refused, even when the checksum matches", async () => {
  const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
  const mutations = fc.array(mutation, { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.nat(LINES.length - 1), mutations, mutations, async (index, structure, text) => {
      const changed = JSON.stringify(mutateJson(JSON.parse(LINES[index]!), structure));
      const body = Buffer.from(LINES.with(index, changed).join("\n") + "\n");
      await check(seal(mutateBytes(body, text)));
      await check(mutateBytes(SOUND, text));
    }),
    { numRuns: fuzzRuns(400) },
  );
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  for (const index of [0, 1]) {
    const line = LINES[index]!.replace(/"(?:revision|zone)":"[^"]*"/, `"zone":${deep}`);
    await check(seal(Buffer.from(LINES.with(index, line).join("\n") + "\n")));
  }
});
