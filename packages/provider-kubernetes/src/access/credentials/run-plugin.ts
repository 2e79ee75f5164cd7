import { spawn, type ChildProcess } from "node:child_process";
import { ProvisioningError, throwIfAborted, untilAborted } from "@holdfast/core";

export interface PluginCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const MAX_OUTPUT = 1_048_576;

/**
 * Runs a credential plugin and returns its output. It runs in a separate process group, which is killed when the signal
 * aborts, when the plugin prints more than 1 MiB, or when this process exits. Throws `CONNECTIVITY_SECRET_UNAVAILABLE`
 * when the plugin fails. Errors contain neither its output nor its arguments.
 */
export async function runPlugin(plugin: PluginCommand, signal: AbortSignal): Promise<string> {
  throwIfAborted(signal);
  const child = start(plugin);
  const kill = () => killGroup(child);
  process.once("exit", kill);
  try {
    return await untilAborted(readOutput(child, plugin.command), signal);
  } catch (error) {
    kill();
    child.stdout?.destroy();
    throw error;
  } finally {
    process.removeListener("exit", kill);
  }
}

/**
 * Starts the plugin. `spawn` throws for arguments that cannot be passed to a process, such as a NUL, and its error
 * quotes the value.
 */
function start({ command, args, env }: PluginCommand): ChildProcess {
  try {
    // `detached` creates a new process group without a terminal.
    return spawn(command, args, {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    });
  } catch {
    throw unavailable("the credential plugin cannot be started with the values in the kubeconfig");
  }
}

function readOutput(child: ChildProcess, command: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  let byteLength = 0;
  const fail = (why: string) => reject(unavailable(`the credential plugin "${command}" failed (${why})`));
  child.stdout?.on("data", (part: Buffer) => {
    byteLength += part.byteLength;
    if (byteLength > MAX_OUTPUT) fail(`it printed more than ${MAX_OUTPUT} bytes`);
    else parts.push(part);
  });
  // The message contains the command line, so only the code is reported.
  child.on("error", (error) => fail(String(Reflect.get(error, "code"))));
  child.on("close", (code, signal) => {
    if (code === 0) resolve(Buffer.concat(parts).toString());
    else fail(String(code ?? signal));
  });
  return promise;
}

/** Kills the process group of the plugin, which includes its child processes unless they have left the group. */
function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-pid, "SIGKILL");
  } catch {
    // The group has already ended.
  }
}

function unavailable(message: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message);
}
