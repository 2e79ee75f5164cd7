/** Unexpected JSON values. */
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
  // oxlint-disable-next-line unicorn/no-thenable -- a thenable is the hostile value
  { then: {} },
  { __proto__: null, polluted: true },
];

/** Field names that change a prototype when data is copied carelessly. */
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

/** Returns an array nested in arrays, `levels` deep. */
export function nest(levels: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
}

/** A field that reaches `Object.prototype` when an input pollutes it. `assertUnpolluted` looks for it. */
export const POLLUTION: Readonly<Record<string, unknown>> = { polluted: true };

/** Throws when an input has changed a shared prototype, and restores the prototype. */
export function assertUnpolluted(): void {
  for (const shared of [{}, [], () => undefined, "", 0]) {
    if (Reflect.get(Object(shared), "polluted") === undefined) continue;
    for (const prototype of [Object.prototype, Array.prototype, Function.prototype])
      Reflect.deleteProperty(prototype, "polluted");
    throw new Error("a shared prototype was changed");
  }
}
