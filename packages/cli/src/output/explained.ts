import * as z from "zod";

/** The fields of an explanation that are printed. */
export interface Explained {
  readonly nodeId: string;
  readonly standing: string;
  readonly rule: string;
  readonly reason: string;
  readonly seqNo: number;
  readonly status: string;
  readonly node?: { readonly host: string; readonly port: number } | undefined;
  readonly hold?: { readonly until: number } | undefined;
  readonly remote?: { readonly state: string; readonly lastUpdateAt: number } | undefined;
  readonly lastChange?:
    | { readonly change: string; readonly seqNo: number; readonly at: number; readonly providerId: string }
    | undefined;
  readonly keptSince?: number | undefined;
  readonly providers: readonly {
    readonly providerId: string;
    readonly isActive: boolean;
    readonly isListed: boolean;
    readonly observedAt: number;
  }[];
  readonly snapshot?: { readonly providerId: string; readonly seqNo: number } | undefined;
}

const text = z.string().max(65_536);
const time = z.number();

/** The response may come from another version of the daemon, or from another server. */
export const explainedSchema: z.ZodType<Explained> = z.object({
  nodeId: text,
  standing: text,
  rule: text,
  reason: text,
  seqNo: z.number(),
  status: text,
  node: z.object({ host: text, port: z.number() }).optional(),
  hold: z.object({ until: time }).optional(),
  remote: z.object({ state: text, lastUpdateAt: time }).optional(),
  lastChange: z.object({ change: text, seqNo: z.number(), at: time, providerId: text }).optional(),
  keptSince: z.number().optional(),
  providers: z
    .array(z.object({ providerId: text, isActive: z.boolean(), isListed: z.boolean(), observedAt: time }))
    .max(1_000),
  snapshot: z.object({ providerId: text, seqNo: z.number() }).optional(),
});
