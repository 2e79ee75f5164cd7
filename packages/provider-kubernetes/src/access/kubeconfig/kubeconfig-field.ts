import * as z from "zod";

// In Go, where a kubeconfig's fields are defined, null and an empty text are the same as a field that is left out.

/** A text; undefined when it is empty, null, or absent. */
export const textField: z.ZodType<string | undefined> = z
  .string()
  .nullish()
  .transform((text) => text || undefined);

const YES = /^(?:y|yes|on|true)$/i;
const NO = /^(?:n|no|off|false)$/i;

/** kubectl reads YAML 1.1, in which `yes` and `on` are booleans. */
export const booleanField: z.ZodType<boolean> = z
  .union([
    z.boolean(),
    z
      .string()
      .regex(YES)
      .transform(() => true),
    z
      .string()
      .regex(NO)
      .transform(() => false),
  ])
  .nullish()
  .transform((value) => value ?? false);
