import * as z from "zod";
import { PROVIDER_ID_PATTERN, type ProviderId } from "./provider-id.ts";

export const providerIdSchema: z.ZodType<ProviderId> = z.string().regex(PROVIDER_ID_PATTERN);
