import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";
import { accessShape, name, type AccessParams, type AccessSettings } from "../consul-params.ts";

/** The services that a discovery finds. */
export interface DiscoveryParams extends AccessParams {
  /** A service is found if any of its instances, healthy or not, has this tag. */
  readonly tag: string;
  /** Only services whose names begin with this text are found. @defaultValue "" */
  readonly prefix?: string | undefined;
}

/** `DiscoveryParams` with the defaults filled in. */
export type DiscoverySettings = AccessSettings &
  WithDefaults<Pick<DiscoveryParams, "tag" | "prefix">, "prefix">;

export const discoveryParamsSchema: z.ZodType<DiscoverySettings, DiscoveryParams> = z.strictObject({
  ...accessShape,
  tag: name("A service is found if any of its instances has this tag."),
  prefix: z
    .string()
    .max(512)
    .default("")
    .describe("Only services whose names begin with this text are found."),
});
