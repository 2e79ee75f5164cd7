import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import type { Transport } from "../connection/transport.ts";
import { follow } from "./follow.ts";
import { expect, test } from "vitest";

const unreachable: Transport = () => Promise.reject(new Error("not reachable"));

test("the same address in two forms is one daemon; two schemes of one host are two daemons", async () => {
  const url = ["http://one", "http://one/", "HTTP://ONE:80", "https://one"];
  const clock = new VirtualClock();
  await using topology = follow({ url, clock, random: createSeededRandom(3), transport: unreachable });
  expect(topology.daemons().map(({ providerId }) => providerId)).toEqual(["http://one", "https://one"]);
  await using single = follow({
    url: url.slice(0, 3),
    clock,
    random: createSeededRandom(3),
    transport: unreachable,
  });
  expect(single.daemons().map(({ providerId }) => providerId)).toEqual(["one"]);
});

test.each([
  ["no address", [], /url: expected an address .* got none/],
  ["a path", ["http://one/events"], /url\[0\]: expected an address/],
  ["credentials", ["http://one", "http://user:secret@two"], /url\[1\]: expected an address/],
  ["another protocol", ["ftp://one"], /url\[0\]: expected an address/],
])("%s is refused, and not quoted", (_, url, words) => {
  expect(() => follow({ url })).toThrow(words);
  expect(() => follow({ url })).not.toThrow(/secret/);
});
