import { DEFAULT_TOPOLOGY } from "@holdfast/core";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Paint } from "../output/paint.ts";
import { toPrintable } from "../output/printable.ts";

export interface GreetingOptions {
  readonly version: string;
  readonly loaded: LoadedConfig;
  /** Undefined when there are no endpoints. */
  readonly url?: string | undefined;
  readonly pid: number;
  readonly paint: Paint;
}

/** How many topologies the first lines name. */
const NAMED = 20;

/** The lines that the daemon prints first: what is running, where its files are, and how to stop it. */
export function toGreeting(options: GreetingOptions): readonly string[] {
  const { version, loaded, url, pid, paint } = options;
  const row = (name: string, text: string) => `  ${paint("dim", name.padEnd(10))} ${text}`;
  return [
    "",
    `${paint("bold", "Holdfast")} ${version} runs ${toPrintable(loaded.file)}`,
    "",
    ...toTopologyRows(loaded, paint).map(([name, text]) => row(name, text)),
    row("data", toPrintable(loaded.dataDir)),
    row("endpoints", url === undefined ? "none" : `${paint("cyan", url)}  ${toEndpoints(loaded)}`),
    row("reload", `kill -HUP ${pid}`),
    row("stop", "Ctrl-C drains and stops; a second Ctrl-C stops at once"),
    "",
  ];
}

type Row = readonly [name: string, text: string];

/** For the only topology, its providers; otherwise the names of all. */
function toTopologyRows({ topologies, discoveries }: LoadedConfig, paint: Paint): readonly Row[] {
  const [first] = topologies;
  if (first?.name === DEFAULT_TOPOLOGY && topologies.length === 1 && discoveries.length === 0) {
    const providers = first.providers?.map(
      ({ id, kind, priority }) => `${paint("magenta", id)} (${toPrintable(kind)}, ${priority})`,
    );
    return [["providers", providers?.join("  ") ?? "as stored; see `holdfast providers --help`"]];
  }
  const names = topologies.slice(0, NAMED).map(({ name }) => paint("magenta", name));
  const more = topologies.length > NAMED ? `, and ${topologies.length - NAMED} more` : "";
  const kinds = new Set(discoveries.flatMap(({ sources }) => sources.map(({ kind }) => toPrintable(kind))));
  return [
    ["topologies", topologies.length === 0 ? "none" : names.join(", ") + more],
    ...(kinds.size === 0 ? [] : [["discover", `services of ${[...kinds].join(", ")}`] as const]),
  ];
}

/** The paths without a name are of the topology `default`. */
function toEndpoints({ topologies }: LoadedConfig): string {
  const hasDefault = topologies.some(({ name }) => name === DEFAULT_TOPOLOGY);
  const paths = hasDefault
    ? "/topology /topologies /events /explain"
    : "/topologies /topologies/NAME /topologies/NAME/events";
  return `${paths} /metrics /readyz /healthz`;
}
