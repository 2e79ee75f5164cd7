import type { ClusterNode, ValidationProblem } from "@holdfast/core";
import type { ConsulRegistrarSettings } from "./consul-registrar-params.ts";

/** The limits of Consul for metadata of a service (agent/structs/structs.go). */
const MAX_META_PAIRS = 64;
const MAX_META_VALUE = 512;
const META_KEY = /^[\w-]{1,128}$/;

/** Consul's HTTP server normalises paths, so these ids would address something else. */
const NORMALISED = /^\/|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** Lists what Consul cannot hold of a member. Nothing is changed silently, because others would see another member. */
export function findProblems(
  { id, weight, zone, metadata }: ClusterNode,
  { zoneMeta }: ConsulRegistrarSettings,
): readonly ValidationProblem[] {
  const problems: ValidationProblem[] = [];
  const add = (path: string, expected: string, got: string) =>
    problems.push({ path, expected, got, code: "VALIDATION_MALFORMED" });
  if (NORMALISED.test(id)) add("id", "an id without empty, . and .. parts between slashes", "another one");
  if (id.includes('"') && id.includes("`")) add("id", 'an id with at most one kind of " and `', "both");
  if (weight !== undefined && (!Number.isInteger(weight) || weight < 1 || weight > 65_535))
    add("weight", "a whole number from 1 to 65535", String(weight));
  if (zone !== undefined && zone.length > MAX_META_VALUE)
    add("zone", `at most ${MAX_META_VALUE} characters`, "more");
  if (zone !== undefined && (metadata[zoneMeta] ?? zone) !== zone)
    add(`metadata.${zoneMeta}`, "the zone, or no such key", "another value");
  const keys = Object.keys(metadata);
  if (keys.length + (zone === undefined || zoneMeta in metadata ? 0 : 1) > MAX_META_PAIRS)
    add("metadata", `at most ${MAX_META_PAIRS} keys, with the zone`, `${keys.length}`);
  for (const key of keys) {
    if (!META_KEY.test(key)) add("metadata", "keys of 1 to 128 letters, digits, - and _", "another one");
    else if (metadata[key]!.length > MAX_META_VALUE)
      add(`metadata.${key}`, `at most ${MAX_META_VALUE} characters`, "more");
  }
  return problems;
}
