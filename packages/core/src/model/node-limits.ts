/** Maximum number of characters, or of entries, of each field of a node. */
export const NODE_LIMITS = {
  id: 253,
  host: 253,
  zone: 253,
  tag: 1_024,
  tags: 256,
  metadataKey: 256,
  metadataValue: 8_192,
} as const;
