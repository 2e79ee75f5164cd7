#!/usr/bin/env node
import { holdEarlySignals } from "./early-signals.ts";

// This must run before the rest is loaded, which takes a while.
const args = process.argv.slice(2);
holdEarlySignals(process, args);
// libuv reads this variable once, when its pool is first used. A file on an unreachable network file system blocks a
// thread for ever. Up to half of the threads may be blocked that way (see `fileAccess` in core), and the default of
// four threads is too few for a daemon with several providers.
process.env["UV_THREADPOOL_SIZE"] ??= "16";
const { runCli } = await import("./cli.ts");
const { createProcessTerminal } = await import("./terminal.ts");
const terminal = createProcessTerminal();
// Exits even if the event loop is not empty: a timer that a plugin has left must not keep the process running.
terminal.exit(await runCli(args, terminal));
