import { extname } from "node:path";
import type { WithDefaults } from "@holdfast/core/adapter";
import * as z from "zod";

/** The format of a topology file. */
export type FileFormat = "json" | "yaml";

/** The parameters of a file provider. Only `path` is required. */
export interface FileParams {
  /** The topology file. A relative path starts from the adapter's `baseDir`, or else from the current folder of the process. */
  readonly path: string;
  /** `auto` uses the extension: `.json`, `.yaml` or `.yml`. @defaultValue "auto" */
  readonly format?: "auto" | FileFormat | undefined;
  /**
   * Milliseconds between two checks of the file, in addition to notifications of the file system. @defaultValue 1000
   */
  readonly pollMs?: number | undefined;
  /**
   * Milliseconds for which a file must stay missing, unreadable or invalid before that is reported. @defaultValue 150
   */
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
      .describe("The format of the file; auto uses the extension: .json, .yaml or .yml."),
    pollMs: z
      .int()
      .min(10)
      .max(60_000)
      .default(1_000)
      .describe(
        "Milliseconds between two checks of the file, in addition to notifications of the file system.",
      ),
    settleMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(150)
      .describe(
        "Milliseconds for which a file must stay missing, unreadable or invalid before that is reported.",
      ),
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

/** Returns `undefined` when the format is `auto` and the extension is unknown. */
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
