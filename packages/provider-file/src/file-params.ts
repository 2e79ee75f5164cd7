import { extname } from "node:path";
import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** How the text of a topology file is read. */
export type FileFormat = "json" | "yaml";

/** Which file a provider reads, and how. Only `path` is required. */
export interface FileParams {
  /** The topology file. A relative path starts from the adapter's `baseDir`, or else from the current folder of the process. */
  readonly path: string;
  /** `auto` goes by the extension: `.json`, `.yaml` or `.yml`. @defaultValue "auto" */
  readonly format?: "auto" | FileFormat | undefined;
  /** Milliseconds between looks at the file, besides the file system's own notifications. @defaultValue 1000 */
  readonly pollMs?: number | undefined;
  /** Milliseconds that a missing, unreadable or invalid file must stay so before it counts. @defaultValue 150 */
  readonly settleMs?: number | undefined;
  /** A larger file is invalid. @defaultValue 67108864 */
  readonly maxBytes?: number | undefined;
}

/** `FileParams` with the defaults filled in. */
export type FileSettings = WithDefaults<FileParams, "format" | "pollMs" | "settleMs" | "maxBytes">;

const MIB = 1_048_576;

export const fileParamsSchema: z.ZodType<FileSettings, FileParams> = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .max(4_096)
      .describe("The topology file. A relative path starts from the folder of the configuration."),
    format: z
      .enum(["auto", "json", "yaml"])
      .default("auto")
      .describe("How to read the file; auto goes by the extension: .json, .yaml or .yml."),
    pollMs: z
      .int()
      .min(10)
      .max(60_000)
      .default(1_000)
      .describe("Milliseconds between looks at the file, besides the file system's notifications."),
    settleMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(150)
      .describe("Milliseconds that a missing, unreadable or invalid file must stay so before it counts."),
    maxBytes: z
      .int()
      .min(1)
      .max(512 * MIB)
      .default(64 * MIB)
      .describe("A larger file is invalid."),
  })
  .superRefine((params, context) => {
    if (formatOf(params) !== undefined) return;
    context.addIssue({
      code: "custom",
      path: ["path"],
      message: 'a path that ends in .json, .yaml or .yml, or a "format"',
    });
  });

/** Undefined when the format is left to an extension that names none. */
export function formatOf(params: Pick<FileSettings, "path" | "format">): FileFormat | undefined {
  if (params.format !== "auto") return params.format;
  switch (extname(params.path).toLowerCase()) {
    case ".json":
      return "json";
    case ".yaml":
    case ".yml":
      return "yaml";
    default:
      return undefined;
  }
}
