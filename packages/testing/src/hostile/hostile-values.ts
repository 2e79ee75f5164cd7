/** What nobody expects where a value belongs; as JSON can say it. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  5e-324,
  "",
  " ",
  "\u0000",
  "\uFEFF",
  "\ud800",
  "\udc00\ud800",
  "\r\n",
  "\u001b[2J",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "NaN",
  "é🌊",
  "x".repeat(10_000),
  [],
  {},
  [[]],
  [null],
  { toString: null, valueOf: null },
  { toString: "x", toJSON: "x" },
  { length: 4_294_967_295 },
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is hostile about it
  { then: {} },
  { __proto__: null, polluted: true },
];

/** Names of fields that change a prototype where somebody copies them without care. */
export const HOSTILE_NAMES: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "toJSON",
  "then",
  "hasOwnProperty",
  "length",
  "",
  "\u0000",
  "a.b",
  "0",
];

/** A value that is an array within an array, `levels` times. */
export function nest(levels: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
}

/** What fails a test when any object has got a field by way of `Object.prototype`. */
export const POLLUTION: Readonly<Record<string, unknown>> = { polluted: true };

/** Throws when a prototype that everybody shares was changed by an input. */
export function assertUnpolluted(): void {
  for (const shared of [{}, [], () => undefined, "", 0]) {
    if (Reflect.get(Object(shared), "polluted") === undefined) continue;
    for (const prototype of [Object.prototype, Array.prototype, Function.prototype])
      Reflect.deleteProperty(prototype, "polluted");
    throw new Error("a prototype that everybody shares was changed");
  }
}
