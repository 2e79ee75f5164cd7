import {
  ERROR_TABLE,
  ProvisioningError,
  toValidationProblems,
  type ErrorCode,
  type ProviderDescriptor,
} from "@holdfast/core";
import { providerIdSchema } from "@holdfast/core/adapter";
import * as z from "zod";

/** A descriptor as it is stored. `params` belong to the adapter: any JSON value, which is not checked here. */
export const storedDescriptorSchema: z.ZodType<ProviderDescriptor> = z.strictObject({
  id: providerIdSchema,
  kind: z.string().min(1),
  priority: z.number(),
  params: z.custom<unknown>((value) => value !== undefined, "a JSON value"),
  disabled: z
    .strictObject({ code: z.custom<ErrorCode>(isErrorCode, "a known error code"), message: z.string() })
    .optional(),
});

function isErrorCode(value: unknown): boolean {
  return typeof value === "string" && Object.hasOwn(ERROR_TABLE, value);
}

/**
 * Converts descriptors to lines of JSON. Throws `VALIDATION_MALFORMED` or `VALIDATION_DUPLICATE_ID` for a set that
 * could not be read back unchanged, before anything is written.
 */
export function toDescriptorLines(all: readonly ProviderDescriptor[]): readonly string[] {
  const ids = new Set<string>();
  return all.map((descriptor, index) => {
    const result = storedDescriptorSchema.safeParse(descriptor);
    if (!result.success) {
      throw new ProvisioningError("VALIDATION_MALFORMED", `descriptor ${index} is malformed`, {
        details: { problems: toValidationProblems(result.error.issues, descriptor, [index]) },
      });
    }
    const { id, kind, priority, params, disabled } = result.data;
    if (ids.has(id)) {
      throw new ProvisioningError("VALIDATION_DUPLICATE_ID", `the id "${id}" occurs twice`, {
        details: { id },
      });
    }
    ids.add(id);
    if (!isJson(params)) {
      throw new ProvisioningError(
        "VALIDATION_MALFORMED",
        `the params of "${id}" hold a value that JSON cannot represent, or are nested too deeply`,
        {
          details: { id },
        },
      );
    }
    return JSON.stringify({ id, kind, priority, params, disabled });
  });
}

const MAX_DEPTH = 256;

/**
 * True when a round trip through JSON keeps the value, and it is at most 256 levels deep. A property that is
 * `undefined` counts as absent.
 */
export function isJson(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) return Array.from(value).every((item) => isJson(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => item === undefined || isJson(item, depth + 1));
}
