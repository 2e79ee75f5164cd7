import { spawn, type ChildProcess } from "node:child_process";
import { ProvisioningError, throwIfAborted, untilAborted } from "@holdfast/core";

export interface PluginCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const MAX_OUTPUT = 1_048_576;

/**
 * What a credential plugin prints. It runs in a process group of its own, which is killed when the wait ends without an answer: the
 * signal aborts, the plugin prints more than 1 MiB, or this process exits. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when it fails; no
 * error repeats its output or its arguments.
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

/** Throws at once for what no process can be given, such as a NUL; that error quotes the value. */
function start({ command, args, env }: PluginCommand): ChildProcess {
  try {
    // Detached is what gives it a process group, and takes the terminal away.
    return spawn(command, args, {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    });
  } catch {
    throw unavailable("the credential plugin cannot be started with what the kubeconfig gives it");
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
  // The message holds the command line: the code is all that is reported.
  child.on("error", (error) => fail(String(Reflect.get(error, "code"))));
  child.on("close", (code, signal) => {
    if (code === 0) resolve(Buffer.concat(parts).toString());
    else fail(String(code ?? signal));
  });
  return promise;
}

/** Children of the plugin belong to its group, unless they left it on purpose. */
function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

function unavailable(message: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message);
}
