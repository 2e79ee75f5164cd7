import { createSeededRandom } from "@holdfast/testing";
import { expect, test } from "vitest";
import { digestOf } from "./member-digest.ts";
import { Population } from "./population.ts";

function churn(seed: number): Population {
  const population = new Population(200, createSeededRandom(seed));
  for (let i = 0; i < 5_000; i++) population.change();
  return population;
}

test("keeps its size during churn, and never has two members with the same id or address", () => {
  const population = churn(1);
  const members = population.members();
  expect(population.size).toBe(members.length);
  expect(members.length).toBeGreaterThanOrEqual(190);
  expect(members.length).toBeLessThanOrEqual(population.places);
  expect(new Set(members.map(({ id }) => id)).size).toBe(members.length);
  expect(new Set(members.map(({ host }) => host)).size).toBe(members.length);
});

test("each change returns the index of the one place that changed", () => {
  const population = new Population(50, createSeededRandom(2));
  const placesOf = () => Array.from({ length: population.places }, (_, place) => population.at(place));
  for (let i = 0; i < 500; i++) {
    const before = placesOf();
    const place = population.change();
    const after = placesOf();
    expect(after.flatMap((member, at) => (member === before[at] ? [] : [at]))).toEqual([place]);
    expect(after[place]).not.toEqual(before[place]);
  }
});

test("the same seed gives the same history", () => {
  expect(digestOf(churn(3).members())).toBe(digestOf(churn(3).members()));
  expect(digestOf(churn(3).members())).not.toBe(digestOf(churn(4).members()));
});
