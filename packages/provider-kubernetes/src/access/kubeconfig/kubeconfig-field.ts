import * as z from "zod";

// The fields of a kubeconfig are defined in Go, where null and an empty string mean the same as a missing field.

/** A string; undefined when it is empty, null or missing. */
export const textField: z.ZodType<string | undefined> = z
  .string()
  .nullish()
  .transform((text) => text || undefined);

const YES = /^(?:y|yes|on|true)$/i;
const NO = /^(?:n|no|off|false)$/i;

/** A boolean. kubectl reads YAML 1.1, in which `yes` and `on` are booleans, too. */
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
