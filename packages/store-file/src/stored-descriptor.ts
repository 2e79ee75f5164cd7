import {
  ERROR_TABLE,
  providerIdSchema,
  ProvisioningError,
  toValidationProblems,
  type ErrorCode,
  type ProviderDescriptor,
} from "@holdfast/core";
import * as z from "zod";

/** A descriptor as it stands in a store. `params` are the adapter's business: any JSON value, taken as it is. */
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
 * The descriptors as lines of JSON. What could not be read back as it is now is refused here, before anything is written:
 * `VALIDATION_MALFORMED` or `VALIDATION_DUPLICATE_ID`.
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
      throw new ProvisioningError("VALIDATION_DUPLICATE_ID", `the id "${id}" is there twice`, {
        details: { id },
      });
    }
    ids.add(id);
    if (!isJson(params)) {
      throw new ProvisioningError("VALIDATION_MALFORMED", `the params of "${id}" hold more than JSON can`, {
        details: { id },
      });
    }
    return JSON.stringify({ id, kind, priority, params, disabled });
  });
}

const MAX_DEPTH = 256;

/**
 * True when JSON brings the value back as it is, and it is at most 256 levels deep; a property that is `undefined` counts as
 * absent.
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
