/** Options of a topology as a backend sends it: about 140 bytes of JSON for each member. */
export interface PayloadOptions {
  readonly members: number;
  /** How many members have a different address than in version 0, spread evenly. @defaultValue 0 */
  readonly changed?: number;
  /** Distinguishes the changed addresses of different versions. @defaultValue 1 */
  readonly version?: number;
}

export function createPayload({ members, changed = 0, version = 1 }: PayloadOptions): string {
  const every = Math.floor(members / changed);
  const entries = Array.from({ length: members }, (_, i) =>
    createEntry(i, changed > 0 && i % every === 0 ? version : 0),
  );
  return JSON.stringify({ members: entries });
}

export function createEntry(i: number, version: number): object {
  return {
    id: `node-${String(i).padStart(6, "0")}`,
    host: `${10 + (version >> 8)}.${version & 255}.${(i >> 8) & 255}.${i & 255}`,
    port: 8080,
    zone: `zone-${i % 3}`,
    tags: ["primary", `v${i % 5}`],
    metadata: { version: "1.4.2", rack: `r${i % 40}` },
  };
}
