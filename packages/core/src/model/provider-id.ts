import * as z from "zod";

/** Names a configured provider; unique in a registry. Letters, digits, `.`, `_` and `-`, 1 to 63, a letter or digit first. */
export type ProviderId = string;

export const providerIdSchema: z.ZodType<ProviderId> = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
