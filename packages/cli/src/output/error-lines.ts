import { isProvisioningError } from "@holdfast/core";
import * as z from "zod";
import { toPrintable } from "./printable.ts";
import type { JsonDocument } from "./json-pieces.ts";
import type { Paint } from "./paint.ts";

const problemSchema = z.object({
  path: z.string(),
  expected: z.string(),
  got: z.string(),
  line: z.number().optional(),
  column: z.number().optional(),
});

const failureSchema = z.object({
  topology: z.string().optional(),
  providerId: z.string().optional(),
  message: z.string(),
});

const detailsSchema = z.object({
  file: z.string().optional(),
  problems: z.array(problemSchema).default([]),
  failures: z.array(failureSchema).default([]),
});

/** How many providers or topologies that failed are listed. A full disk fails all of them. */
const MAX_FAILURES = 20;

type Problem = z.infer<typeof problemSchema>;

/** Formats an error as text: one line, and one more for each problem. */
export function toErrorLines(error: unknown, paint: Paint): readonly string[] {
  if (!isProvisioningError(error)) return [paint("red", `error: ${toPrintable(messageOf(error))}`)];
  const details = detailsSchema.safeParse(error.details).data;
  const { file, problems = [], failures = [] } = details ?? {};
  if (problems.length > 0) {
    const where = file ?? "the input";
    return [paint("red", `error: ${toPrintable(where)} is not valid:`), ...toProblemLines(problems, paint)];
  }
  if (failures.length > 0) {
    const lines = failures.slice(0, MAX_FAILURES).map(({ topology, providerId, message }) => {
      const name = providerId ?? topology ?? "";
      return `  ${paint("bold", toPrintable(name))}  ${toPrintable(message)}`;
    });
    if (failures.length > MAX_FAILURES) lines.push(`  and ${failures.length - MAX_FAILURES} more`);
    const what = failures.some(({ providerId }) => providerId === undefined) ? "topology" : "provider";
    return [paint("red", `error: not every ${what} can be accepted:`), ...lines];
  }
  return [paint("red", `error: ${toPrintable(error.message)}`)];
}

/** Formats an error as JSON. */
export function toErrorDocument(error: unknown): JsonDocument {
  if (!isProvisioningError(error))
    return { error: { code: "LIFECYCLE_INTERNAL", message: messageOf(error) } };
  const { code, message, details } = error;
  return { error: { ...details, code, message } };
}

function toProblemLines(problems: readonly Problem[], paint: Paint): readonly string[] {
  const rows = problems.map((problem) => ({ ...problem, where: toWhere(problem) }));
  const whereWidth = widest(rows.map((row) => row.where));
  const pathWidth = Math.min(widest(rows.map((row) => row.path)), 48);
  return rows.map(({ where, path, expected, got }) => {
    const place = [
      ...(whereWidth === 0 ? [] : [paint("dim", where.padEnd(whereWidth))]),
      ...(pathWidth === 0 ? [] : [paint("bold", toPrintable(path).padEnd(pathWidth))]),
      `expected ${paint("green", toPrintable(expected))}, got ${paint("yellow", toPrintable(got))}`,
    ];
    return `  ${place.join("  ")}`;
  });
}

function widest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

function toWhere({ line, column }: Problem): string {
  return line === undefined ? "" : `${line}:${column ?? 1}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "a value that is not an Error was thrown";
}
