import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execute, root } from "@holdfast-apps/lab/packed-packages";
import { findFreePorts, ServerProcess } from "@holdfast-apps/lab";

/** An npm registry (verdaccio) on loopback. It stores the packages of this repository and forwards requests for all others. */
export class LocalRegistry implements AsyncDisposable {
  /** Its base URL, for `--registry`, which overrides all other settings. */
  readonly url: string;
  /** Variables that make npm and pnpm read only a configuration that names this registry. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly #server: ServerProcess;
  readonly #folder: string;

  private constructor(url: string, npmrc: string, server: ServerProcess, folder: string) {
    this.url = url;
    this.env = { ...withoutNpmSettings(), npm_config_userconfig: npmrc };
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
    return new LocalRegistry(`http://${address}/`, npmrc, server, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * `npm test` passes the settings of npm to the tests in lower-case variables. While these exist, a variable in upper case has no effect,
 * and the packages would be published to the public registry.
 */
function withoutNpmSettings(): Record<string, undefined> {
  const names = Object.keys(process.env).filter((name) => /^p?npm_config_/i.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** Installs verdaccio, once per checkout. It is not a dependency, because its 300 packages would slow down every installation. */
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

/** Every user of this machine may publish, which is acceptable because the registry runs only during the test. */
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
