import type { ProviderDescriptor } from "@holdfast/core";

/**
 * Descriptors with every kind of content that a stored one may have, and with values that careless formats handle
 * wrongly.
 */
export const EXHAUSTIVE_SET: readonly ProviderDescriptor[] = [
  {
    id: "zeta",
    kind: "file",
    priority: 1_000_000,
    params: { path: "/srv/nodes.json", nested: { list: [0, -2.5, 1e21, null, true, ""], none: {}, no: [] } },
  },
  {
    id: "Alpha.1_x-y",
    kind: "consul",
    priority: -1_000_000,
    params: {
      token: { env: "CONSUL_TOKEN" },
      text: 'a "quoted" \\ text\nof\r\nlines \u2028 \u2029 \u0000 \t #',
      ключ: "日本 🌊 e\u0301",
      constructor: "also a name",
    },
  },
  {
    id: "off",
    kind: "memory",
    priority: 0,
    params: {},
    disabled: { code: "VALIDATION_MISSING_CAPABILITY", message: "it cannot watch:\n“as reported”" },
  },
];

/** Returns `size` descriptors whose ids and contents differ from those of every other set. */
export function sampleSet(name: string, size: number): readonly ProviderDescriptor[] {
  return Array.from({ length: size }, (_, index) => ({
    id: `${name}-${index}`,
    kind: "memory",
    priority: size - index,
    params: { name, text: "x".repeat(index % 100) },
  }));
}
