import type { Reason } from "@holdfast/core";
import { auditHttp } from "../config/audit-http.ts";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { toJsonText, toPrintable } from "../output/printable.ts";
import { auditProviders } from "./audit-providers.ts";
import type { CommandContext } from "./command-context.ts";

export interface ValidateOptions {
  /** False: no module that the configuration names is loaded. */
  readonly adapters: boolean;
}

/**
 * Validates a configuration file and lists its insecure settings, without connecting to anything. Loads the adapters
 * that it names, which runs their code, unless `adapters` is false. Throws `VALIDATION_*` with every problem.
 */
export async function validate(
  file: string,
  { adapters: loadsAdapters }: ValidateOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, out, paint, isJson } = context;
  const { cwd, clock, random } = terminal;
  const loaded = await loadConfig(file, { cwd, loadsAdapters });
  const { config, providers = [], adapters, unchecked } = loaded;
  const warnings: readonly (Reason & { readonly providerId?: string | undefined })[] = [
    ...(config.http === false ? [] : auditHttp(config.http.host)),
    ...(await auditProviders(providers, { adapters, clock, random })),
  ];
  if (isJson) {
    return out.write(toJsonText({ isValid: true, file: loaded.file, config, unchecked, warnings }));
  }
  await out.write(`${paint("green", "valid")}  ${toPrintable(loaded.file)}`);
  await out.write(`  providers  ${namesOf(loaded)}`);
  await out.write(`  store      ${toPrintable(loaded.storeFile)}`);
  const modules = config.adapters?.map(toPrintable) ?? [];
  if (modules.length > 0) {
    const how = loadsAdapters ? "loaded, which ran their code" : "not loaded";
    await out.write(`  adapters   ${modules.join(", ")} (${how})`);
  }
  if (unchecked.length > 0) {
    const what = "not checked, because their kinds are not built in";
    await out.write(paint("yellow", `warning: ${unchecked.join(", ")}: ${what}`));
  }
  for (const { message, providerId } of warnings) {
    const subject = providerId === undefined ? "" : `${providerId}: `;
    await out.write(paint("yellow", `warning: ${toPrintable(subject + message)}`));
  }
}

function namesOf({ providers }: LoadedConfig): string {
  if (providers === undefined) return "as stored";
  const names = providers.map(({ id, kind, priority }) => `${id} (${toPrintable(kind)}, ${priority})`);
  return names.join(", ") || "none";
}
