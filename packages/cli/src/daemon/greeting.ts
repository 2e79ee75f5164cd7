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

/** The lines that the daemon prints first: what is running, where its files are, and how to stop it. */
export function toGreeting(options: GreetingOptions): readonly string[] {
  const { version, loaded, url, pid, paint } = options;
  const row = (name: string, text: string) => `  ${paint("dim", name.padEnd(10))} ${text}`;
  const providers = loaded.providers?.map(
    ({ id, kind, priority }) => `${paint("magenta", id)} (${toPrintable(kind)}, ${priority})`,
  );
  return [
    "",
    `${paint("bold", "Holdfast")} ${version} runs ${toPrintable(loaded.file)}`,
    "",
    row("providers", providers?.join("  ") ?? "as stored; see `holdfast providers --help`"),
    row("store", toPrintable(loaded.storeFile)),
    row("endpoints", url === undefined ? "none" : `${paint("cyan", url)}  ${ENDPOINTS}`),
    row("reload", `kill -HUP ${pid}`),
    row("stop", "Ctrl-C drains and stops; a second Ctrl-C stops at once"),
    "",
  ];
}

const ENDPOINTS = "/topology /events /explain /metrics /readyz /healthz";
