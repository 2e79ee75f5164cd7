import { describe, expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

const quick = { isQuick: true, hasEvents: false };

describe("expired versions", () => {
  test("are counted while they are consecutive, and the fourth is too many", () => {
    const budget = new RetryBudget();
    expect([1, 2, 3, 4].map(() => budget.expired())).toEqual([1, 2, 3, undefined]);
  });

  test("are counted from the start after a watch that lasted or delivered events", () => {
    const budget = new RetryBudget();
    budget.expired();
    budget.expired();
    budget.lasted();
    expect(budget.expired()).toBe(1);
    expect(budget.ended({ isQuick: true, hasEvents: true })).toBe("useful");
    expect(budget.expired()).toBe(1);
    budget.ended(quick);
    expect(budget.expired()).toBe(2);
  });
});

describe("watches that end early", () => {
  test("without an event, five in a row, exhaust the budget", () => {
    const budget = new RetryBudget();
    const verdicts = Array.from({ length: 5 }, () => budget.ended(quick));
    expect(verdicts).toEqual(["empty", "empty", "empty", "empty", "exhausted"]);
  });

  test("with events are useful, and still counted as early", () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 10; i++) expect(budget.ended({ isQuick: true, hasEvents: true })).toBe("useful");
    expect(budget.quickEnds).toBe(10);
  });

  test("are counted from the start after one that lasted", () => {
    const budget = new RetryBudget();
    for (let i = 0; i < 4; i++) budget.ended(quick);
    expect(budget.ended({ isQuick: false, hasEvents: false })).toBe("useful");
    expect(budget.quickEnds).toBe(0);
    expect(budget.ended(quick)).toBe("empty");
  });
});
