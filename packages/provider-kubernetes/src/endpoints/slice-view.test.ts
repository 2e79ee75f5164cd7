import { systemClock } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { expect, test } from "vitest";
import { pods } from "../../test/fake-api-server.ts";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { toSliceText } from "../wire/slice-text.ts";
import { SliceView } from "./slice-view.ts";

const readNode = createNodeReader();

const settings = kubernetesParamsSchema.parse({ service: "web" });
const timing = { clock: systemClock };
const names = Array.from({ length: 5_000 }, (_, i) => `pod-${i}`);

const textsOf = (...names_: readonly (readonly string[])[]): (readonly [string, string])[] =>
  names_.map((each, i) => [`default/s${i}`, toSliceText(pods(`s${i}`, ...each))]);
const idsOf = (view: SliceView): readonly string[] => Array.from(view.members, ({ id }) => id);

test("nodes that do not change stay the same objects", async () => {
  const view = new SliceView("web", settings, readNode);
  await view.sync(textsOf(["a", "b"], ["c"]), timing);
  const [a, b, c] = view.members;
  await view.sync(textsOf(["a", "d"], ["c"]), timing);
  expect([view.members.get("a"), view.members.get("c")]).toEqual([a, c]);
  expect([view.members.get("a") === a, view.members.get("c") === c]).toEqual([true, true]);
  expect(view.members.get("b")).not.toBe(b);
});

test("a watch that was aborted while it filled the view does not overwrite the content of the next one", async () => {
  const view = new SliceView("web", settings, readNode);
  const aborted = view.sync(textsOf(names), timing);
  const next = view.sync(textsOf(["a"]), timing);
  await Promise.all([aborted, next]);
  expect(idsOf(view)).toEqual(["a"]);
});

test("a change without an effect on the members keeps the set of members", async () => {
  const view = new SliceView("web", settings, readNode);
  await view.sync(textsOf(["a"]), timing);
  const { members } = view;
  const [[key, text]] = textsOf(["a"]) as [readonly [string, string]];
  view.apply({ key, group: "web", text }, 0);
  view.apply({ key: "default/unknown", group: "web" }, 0);
  expect(view.members).toBe(members);
});

test("after an error the view can be used again", async () => {
  const view = new SliceView("web", settings, readNode);
  await view.sync(textsOf(["a"]), timing);
  const endpoints = `[${"0,".repeat(1_000_000)}0]`;
  const text = `{"metadata":{"name":"s1"},"endpoints":${endpoints}}`;
  expect(() => view.apply({ key: "default/s1", group: "web", text }, 0)).toThrow(
    expect.objectContaining({ code: "STREAM_INVALID_DATA" }),
  );
  await view.sync(textsOf(["a"], ["b"]), timing);
  expect(idsOf(view)).toEqual(["a", "b"]);
  view.apply({ key: "default/s0", group: "web" }, 0);
  expect(view.settlesAt).toBe(300);
  view.settle(300);
  expect(idsOf(view)).toEqual(["b"]);
});
