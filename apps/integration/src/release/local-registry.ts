import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute, root } from "../packed-packages.ts";
import { findFreePorts } from "../real/free-ports.ts";
import { ServerProcess } from "../real/server-process.ts";

/** An npm registry (verdaccio) on loopback: ours are published to it, everything else is passed through. */
export class LocalRegistry implements AsyncDisposable {
  /** An npm configuration file that makes npm and pnpm use this registry. */
  readonly npmrc: string;
  readonly #server: ServerProcess;
  readonly #folder: string;

  private constructor(npmrc: string, server: ServerProcess, folder: string) {
    this.npmrc = npmrc;
    this.#server = server;
    this.#folder = folder;
  }

  static async start(): Promise<LocalRegistry> {
    const program = await installVerdaccio();
    const folder = await mkdtemp(join(tmpdir(), "holdfast-registry-"));
    const [port] = await findFreePorts(1);
    const address = `127.0.0.1:${port}`;
    const upstream = (await execute("npm", ["config", "get", "registry"], folder)).trim();
    const config = join(folder, "config.yaml");
    await writeFile(config, toConfig(upstream));
    const npmrc = join(folder, "npmrc");
    await writeFile(npmrc, `registry=http://${address}/\n//${address}/:_authToken=rehearsal\n`);
    const args = [program, "--config", config, "--listen", address];
    const server = new ServerProcess({ file: process.execPath, args, cwd: folder }, async () => {
      const { ok } = await fetch(`http://${address}/-/ping`);
      return ok;
    });
    await server.start();
    return new LocalRegistry(npmrc, server, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Installed once per checkout and only for the rehearsal: its 300 packages would slow down every other set-up. */
async function installVerdaccio(): Promise<string> {
  const folder = join(root, ".tmp", "registry");
  await mkdir(folder, { recursive: true });
  await cp(join(root, "apps", "integration", "registry", "package.json"), join(folder, "package.json"));
  await execute(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
    folder,
  );
  return join(folder, "node_modules", "verdaccio", "bin", "verdaccio");
}

/** Anyone on this machine may publish ours: the registry lives as long as the test. */
function toConfig(upstream: string): string {
  const open = "{ access: $all, publish: $all, unpublish: $all }";
  return `storage: ./storage
uplinks: { upstream: { url: ${JSON.stringify(upstream)} } }
packages:
  "@holdfast/*": ${open}
  "holdfast": ${open}
  "**": { access: $all, proxy: upstream }
log: { type: stdout, format: pretty, level: warn }
`;
}
