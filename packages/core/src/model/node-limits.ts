/** The most characters, or entries, that each field of a node may have. */
export const NODE_LIMITS = {
  id: 253,
  host: 253,
  zone: 253,
  tag: 1_024,
  tags: 256,
  metadataKey: 256,
  metadataValue: 8_192,
} as const;
