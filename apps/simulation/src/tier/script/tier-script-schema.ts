import * as z from "zod";
import {
  BACKEND_STATES,
  CUTS,
  DAEMONS,
  FOLLOWERS,
  KEPT,
  LINK_STATES,
  PLACES,
  type TierScript,
  type TierStep,
} from "./tier-script.ts";

const ms = z.number().min(0).max(3_600_000);
const at = z.enum(DAEMONS);
const node = z.string().regex(/^[a-z][0-9]?$/);

const step: z.ZodType<TierStep> = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("wait"), ms }),
  z.strictObject({ do: z.literal("change"), nodes: z.array(node) }),
  z.strictObject({ do: z.literal("backend"), at, is: z.enum(BACKEND_STATES) }),
  z.strictObject({ do: z.literal("backends"), is: z.enum(BACKEND_STATES) }),
  z.strictObject({ do: z.literal("link"), from: z.enum(PLACES), to: at, is: z.enum(LINK_STATES) }),
  z.strictObject({ do: z.literal("cut"), from: z.enum(PLACES), to: at, how: z.enum(CUTS) }),
  z.strictObject({ do: z.literal("corrupt"), at }),
  z.strictObject({ do: z.literal("putAside"), at }),
  z.strictObject({ do: z.literal("restart"), at, downMs: ms, kept: z.enum(KEPT) }),
  z.strictObject({ do: z.literal("restartFollower"), at: z.enum(FOLLOWERS) }),
  z.strictObject({ do: z.literal("block"), at, node }),
  z.strictObject({ do: z.literal("restore"), at, node }),
]);

/** The form of a script of daemons and followers, as it is read from a file. */
export const tierScriptSchema: z.ZodType<TierScript> = z.strictObject({
  world: z.literal("tier"),
  seed: z.int(),
  setting: z.strictObject({
    followers: z
      .array(
        z.strictObject({
          daemons: z.array(at).min(1),
          isMany: z.boolean(),
          keepsSnapshot: z.boolean(),
        }),
      )
      .min(1)
      .max(FOLLOWERS.length),
    latencyMs: ms,
    retainedEvents: z.int(),
    standby: z.enum(["warm", "cold"]),
  }),
  steps: z.array(step),
});
