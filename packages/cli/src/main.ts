#!/usr/bin/env node
import { holdEarlySignals } from "./early-signals.ts";

// Before the rest is loaded, which takes a while.
const args = process.argv.slice(2);
holdEarlySignals(process, args);
// libuv reads it once, when its pool is first used. A file on a dead network file system keeps a thread for ever; half of the threads
// may be kept that way (see `fileAccess` in core), and the default of four is too few for a daemon with several providers.
process.env["UV_THREADPOOL_SIZE"] ??= "16";
const { runCli } = await import("./cli.ts");
const { createProcessTerminal } = await import("./terminal.ts");
const terminal = createProcessTerminal();
// Not when the event loop is empty: a timer that a plugin has left must not keep the process.
terminal.exit(await runCli(args, terminal));
