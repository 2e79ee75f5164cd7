import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { toSafeCause } from "./safe-cause.ts";

const SECRET = "hunter2";
const shown = (value: unknown) => inspect(value, { depth: 20, showHidden: true });

describe("toSafeCause", () => {
  test("returns an error without risky content unchanged", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), {
      errno: -111,
      code: "ECONNREFUSED",
      syscall: "connect",
      address: "127.0.0.1",
      port: 1,
    });
    const all = new AggregateError([refused, refused]);
    for (const error of [refused, all, new TypeError("fetch failed", { cause: all }), "text", undefined])
      expect(toSafeCause(error)).toBe(error);
  });

  // R1.6
  test.each([
    ["bytes", Object.assign(new Error("Parse Error"), { code: "HPE_X", rawPacket: Buffer.from(SECRET) })],
    ["text", Object.assign(new Error("Parse Error"), { code: "HPE_X", data: SECRET })],
    ["an address", urlError(`http://user:${SECRET}@`)],
  ])("leaves out %s that an error carries, at any depth", (_, carrier) => {
    for (const error of [
      carrier,
      new TypeError("fetch failed", { cause: carrier }),
      new AggregateError([new Error("x"), carrier]),
    ]) {
      const safe = toSafeCause(error);
      expect(shown(safe)).not.toContain(SECRET);
      expect(shown(safe)).not.toContain(
        Buffer.from(SECRET)
          .toString("hex")
          .replaceAll(/(..)(?=.)/g, "$1 "),
      );
      expect(safe).toMatchObject({ message: error.message, name: error.name, stack: error.stack });
      expect(shown(safe)).toContain(Reflect.get(carrier, "code"));
    }
  });

  test.each([
    ["JSON that was parsed", () => JSON.parse(SECRET) as unknown],
    ["an argument", () => readFileSync(`${SECRET}\0`)],
  ])("removes a message that quotes %s", (_, run) => {
    const error = thrownBy(run);
    expect(shown(error)).toContain(SECRET);
    expect(shown(toSafeCause(new Error("x", { cause: error })))).not.toContain(SECRET);
    expect(toSafeCause(error)).toMatchObject({ name: Reflect.get(error, "name") });
  });

  test("handles cyclic causes, and causes that are not errors", () => {
    const error = new Error("x");
    error.cause = error;
    expect(toSafeCause(error)).toBeInstanceOf(Error);
    expect(toSafeCause({ token: SECRET })).toBeUndefined();
  });
});

function urlError(text: string): Error {
  return thrownBy(() => new URL(text));
}

function thrownBy(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
