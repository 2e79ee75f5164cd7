import { DEFAULT_TOPOLOGY, type ProviderDescriptorInput, type Reason } from "@holdfast/core";
import { auditHttp } from "../config/audit-http.ts";
import { topologyFilesOf } from "../config/data-files.ts";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { listPlaceholders, toSampleValues } from "../config/topologies/sample-values.ts";
import { fillTemplate } from "holdfast";
import { toJsonText, toPrintable } from "../output/printable.ts";
import type { Terminal } from "../terminal.ts";
import { auditProviders } from "./audit-providers.ts";
import type { CommandContext } from "./command-context.ts";

export interface ValidateOptions {
  /** False: no module that the configuration names is loaded. */
  readonly adapters: boolean;
}

interface ConfigWarning extends Reason {
  /** The name, or the template of names, of the topology. Absent for a setting of the whole daemon. */
  readonly topology?: string | undefined;
  readonly providerId?: string | undefined;
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
  const loaded = await loadConfig(file, { cwd: terminal.cwd, loadsAdapters });
  const { config, topologies, discoveries, unchecked } = loaded;
  const warnings = await audit(loaded, terminal);
  if (isJson) {
    const isValid = true;
    return out.write(
      toJsonText({ isValid, file: loaded.file, config, topologies, discoveries, unchecked, warnings }),
    );
  }
  await out.write(`${paint("green", "valid")}  ${toPrintable(loaded.file)}`);
  for (const [name, text] of toRows(loaded)) await out.write(`  ${name.padEnd(10)} ${text}`);
  const modules = config.adapters?.map(toPrintable) ?? [];
  if (modules.length > 0) {
    const how = loadsAdapters ? "loaded, which ran their code" : "not loaded";
    await out.write(`  adapters   ${modules.join(", ")} (${how})`);
  }
  if (unchecked.length > 0) {
    const names = unchecked.map(({ topology, providerId }) => toName(topology, providerId));
    const what = "not checked, because their kinds are not built in";
    await out.write(paint("yellow", `warning: ${names.join(", ")}: ${what}`));
  }
  for (const line of toWarningLines(warnings)) await out.write(paint("yellow", `warning: ${line}`));
}

type Row = readonly [name: string, text: string];

/** One row for each topology; for the short form, its providers. */
function toRows({ topologies, discoveries, dataDir }: LoadedConfig): readonly Row[] {
  const [first] = topologies;
  if (first?.name === DEFAULT_TOPOLOGY && topologies.length === 1 && discoveries.length === 0) {
    const store = topologyFilesOf(dataDir, DEFAULT_TOPOLOGY).providers;
    return [
      ["providers", namesOf(first)],
      ["store", toPrintable(store)],
    ];
  }
  return [
    ...topologies.map((topology): Row => {
      const note = topology.required === false ? "  (not required)" : "";
      return [topology.name, namesOf(topology) + note];
    }),
    ...discoveries.map(({ sources, topology = "", providers }): Row => {
      const from = sources.map(({ kind }) => toPrintable(kind)).join(", ");
      const names = toProviderNames(providers);
      return ["discover", `services of ${from} as ${toPrintable(topology)}: ${names}`];
    }),
    ["data", toPrintable(dataDir)],
  ];
}

function namesOf({ providers }: LoadedConfig["topologies"][number]): string {
  return providers === undefined ? "as stored" : toProviderNames(providers);
}

function toProviderNames(providers: readonly ProviderDescriptorInput[]): string {
  const names = providers.map(({ id, kind, priority }) => `${id} (${toPrintable(kind)}, ${priority})`);
  return names.join(", ") || "none";
}

async function audit(
  { config, topologies, discoveries, adapters }: LoadedConfig,
  { clock, random }: Terminal,
): Promise<readonly ConfigWarning[]> {
  const values = toSampleValues(listPlaceholders(adapters));
  const audits = await Promise.all(
    [
      ...topologies.map(({ name: topology, providers = [] }) => ({ topology, providers })),
      ...discoveries.map(({ topology = "", providers }) => ({
        topology,
        providers: providers.map((template) => fillTemplate({ ...template }, values)),
      })),
    ].map(async ({ topology, providers }) => {
      const warnings = await auditProviders(providers, { adapters, clock, random });
      return warnings.map((warning) => ({ ...warning, topology }));
    }),
  );
  return [...(config.http === false ? [] : auditHttp(config.http.host)), ...audits.flat()];
}

/** How many providers with the same warning a line names. */
const NAMED = 3;

/** What is written once for a backend concerns the providers of many topologies, so equal warnings share a line. */
function toWarningLines(warnings: readonly ConfigWarning[]): readonly string[] {
  const byMessage = Map.groupBy(warnings, ({ message }) => message);
  return [...byMessage].map(([message, equal]) => {
    const names = equal.flatMap(({ topology, providerId }) =>
      topology === undefined || providerId === undefined ? [] : [toName(topology, providerId)],
    );
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const subject = names.length === 0 ? "" : `${names.slice(0, NAMED).join(", ")}${more}: `;
    return toPrintable(subject + message);
  });
}

function toName(topology: string, providerId: string): string {
  return topology === DEFAULT_TOPOLOGY ? providerId : `${topology}/${providerId}`;
}
