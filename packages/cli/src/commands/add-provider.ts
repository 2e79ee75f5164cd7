import { resolve } from "node:path";
import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { collectBytes, describeFileFailure, readFileWithin } from "@holdfast/core/adapter";
import { ProviderRegistry } from "@holdfast/registry";
import * as z from "zod";
import { parseConfigSource } from "../config/config-source.ts";
import { toConfigError } from "../config/config-problem.ts";
import type { Terminal } from "../terminal.ts";
import { toJsonText, toPrintable } from "../output/printable.ts";
import { auditProviders } from "./audit-providers.ts";
import type { CommandContext } from "./command-context.ts";
import { assertChangeable, openProviderSet, type ProviderSetOptions } from "./provider-set.ts";

export interface AddProviderOptions extends ProviderSetOptions {
  readonly id?: string | undefined;
  readonly kind?: string | undefined;
  readonly priority?: string | undefined;
  /** JSON, or `@` and the name of a file that holds it. */
  readonly params?: string | undefined;
}

/** Required by adapters. It has no effect, because a probe ends long before this and nothing is watched. */
const HEARTBEAT_MS = 5_000;

/**
 * Validates a provider, proves that its backend responds, and stores it. Takes a descriptor from a file (`-` is
 * standard input), or its fields one by one. Throws the errors of `ProviderRegistry.register` and of
 * `assertChangeable`.
 */
export async function addProvider(
  descriptorFile: string | undefined,
  options: AddProviderOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const { clock, random, cwd } = terminal;
  const set = await openProviderSet(options, cwd, { loadsAdapters: true });
  assertChangeable(set);
  const input = await readDescriptor(descriptorFile, options, terminal);
  const { store, adapters } = set;
  await using registry = new ProviderRegistry({
    ...set.validation,
    store,
    adapters,
    clock,
    random,
    heartbeatMs: HEARTBEAT_MS,
  });
  const warnings: string[] = [];
  registry.on("warning", ({ message }) => void warnings.push(message));
  await registry.restore();
  const { descriptor } = await registry.register(toAbsolutePaths(input, cwd));
  const { id, kind, priority, params } = descriptor;
  const audited = await auditProviders([{ id, kind, priority, params }], { adapters, clock, random });
  // The registry also audits the provider, but does not wait for the result.
  const insecure = audited.map(({ message }) => `"${id}": ${message}`);
  warnings.push(...insecure.filter((message) => !warnings.includes(message)));
  if (isJson) return out.write(toJsonText({ added: descriptor, file: set.file, warnings }));
  await out.write(`added ${descriptor.id} to ${toPrintable(set.file)}`);
  for (const warning of warnings) await out.write(paint("yellow", `warning: ${toPrintable(warning)}`));
  await out.write("a running daemon uses it after a SIGHUP");
}

async function readDescriptor(
  file: string | undefined,
  options: AddProviderOptions,
  terminal: Terminal,
): Promise<unknown> {
  const { id, kind, priority, params } = options;
  const isByField = [id, kind, priority, params].some((field) => field !== undefined);
  if (file === undefined) {
    return {
      id,
      kind,
      // Text that is not a number is kept, so that the validator reports it.
      priority: priority === undefined || !/^-?\d+$/.test(priority) ? priority : Number(priority),
      params: params === undefined ? undefined : await readParams(params, terminal),
    };
  }
  if (!isByField) return parse(await readInput(file, terminal), file === "-" ? "standard input" : file);
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    "name a descriptor file, or give --id, --kind, --priority and --params; not both",
  );
}

async function readParams(params: string, terminal: Terminal): Promise<unknown> {
  if (!params.startsWith("@")) return parse(params, "--params");
  const file = params.slice(1);
  return parse(await readInput(file, terminal), file);
}

const MAX_BYTES = 1_048_576;

async function readInput(file: string, { stdin, cwd }: Terminal): Promise<string> {
  if (file === "-") return readToEnd(stdin);
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(resolve(cwd, file), { maxBytes: MAX_BYTES });
  } catch (error) {
    throw new ProvisioningError(
      "VALIDATION_MALFORMED",
      `the file ${file} cannot be read: ${describeFileFailure(error)}`,
      { cause: error },
    );
  }
  if (bytes === undefined) throw toTooLong(`the file ${file}`);
  return bytes.toString();
}

async function readToEnd(stdin: Terminal["stdin"]): Promise<string> {
  try {
    return (await collectBytes(bytesOf(stdin), { maxBytes: MAX_BYTES })).toString();
  } catch (error) {
    if (isProvisioningError(error)) throw toTooLong("standard input");
    throw error;
  }
}

async function* bytesOf(source: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of source) yield typeof part === "string" ? Buffer.from(part) : part;
}

function toTooLong(name: string): ProvisioningError {
  return new ProvisioningError("VALIDATION_MALFORMED", `${name} is longer than ${MAX_BYTES} bytes`, {
    details: { maxBytes: MAX_BYTES },
  });
}

/** Parses YAML, which includes JSON. */
function parse(source: string, name: string): unknown {
  const { value, problems } = parseConfigSource(source);
  if (problems.length > 0) throw toConfigError(name, problems);
  return value;
}

const fileDescriptorSchema = z.looseObject({
  kind: z.literal("file"),
  params: z.looseObject({ path: z.string().min(1) }),
});

/**
 * Makes relative paths absolute: on the command line they start from the current folder, but the daemon may run in
 * another one.
 */
function toAbsolutePaths(input: unknown, cwd: string): unknown {
  const { data } = fileDescriptorSchema.safeParse(input);
  if (data === undefined) return input;
  return { ...data, params: { ...data.params, path: resolve(cwd, data.params.path) } };
}
