import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arePrograms, findFreePorts, programOf, ServerProcess } from "@holdfast-apps/lab";

const PROGRAM = "prometheus-consul";

/** A Prometheus that discovers the instances of one service of Consul. */
export class PrometheusObserver implements AsyncDisposable {
  static readonly isInstalled: boolean = arePrograms(PROGRAM);
  readonly #address: string;
  readonly #process: ServerProcess;
  readonly #folder: string;

  private constructor(address: string, process: ServerProcess, folder: string) {
    this.#address = address;
    this.#process = process;
    this.#folder = folder;
  }

  static async start(consul: string, service: string): Promise<PrometheusObserver> {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-prometheus-"));
    const [port] = await findFreePorts(1);
    const config = {
      scrape_configs: [
        {
          job_name: "announced",
          scrape_interval: "1s",
          scrape_timeout: "1s",
          consul_sd_configs: [{ server: new URL(consul).host, services: [service], refresh_interval: "1s" }],
        },
      ],
    };
    // JSON is also YAML.
    await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
    const address = `http://127.0.0.1:${port!}`;
    const args = [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
    ];
    args.push(`--web.listen-address=127.0.0.1:${port!}`, "--log.level=error");
    const command = { file: programOf(PROGRAM), args, cwd: folder };
    const process = new ServerProcess(command, async () => (await fetch(`${address}/-/ready`)).ok);
    const observer = new PrometheusObserver(address, process, folder);
    await process.start();
    return observer;
  }

  /** Returns `host:port` of each target. */
  async targets(): Promise<readonly string[]> {
    const response = await fetch(`${this.#address}/api/v1/targets?state=active`);
    const { data } = (await response.json()) as {
      readonly data: {
        readonly activeTargets: readonly { readonly discoveredLabels: Readonly<Record<string, string>> }[];
      };
    };
    return data.activeTargets.map(({ discoveredLabels }) => discoveredLabels["__address__"] ?? "").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
