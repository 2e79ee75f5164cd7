// For users who run the command from their own code.
export { runDaemon, type DaemonOptions } from "./daemon/run-daemon.ts";
export { runCli, type CliOptions } from "./cli.ts";
export { createProcessTerminal, type Terminal, type TerminalSignal } from "./terminal.ts";

// For users who check or write configuration files.
export { loadConfig, type LoadedConfig } from "./config/load-config.ts";
export type { Config, HttpConfig } from "./config/config-schema.ts";
export type { ConfigProblem } from "./config/config-problem.ts";
