#!/usr/bin/env node
import { holdEarlySignals } from "./early-signals.ts";

// Before the rest is loaded, which takes a while.
const args = process.argv.slice(2);
holdEarlySignals(process, args);
const { runCli } = await import("./cli.ts");
const { createProcessTerminal } = await import("./terminal.ts");
const terminal = createProcessTerminal();
// Not when the event loop is empty: a timer that a plugin has left must not keep the process.
terminal.exit(await runCli(args, terminal));
