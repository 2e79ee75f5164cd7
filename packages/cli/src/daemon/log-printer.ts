import type { TopologyName } from "@holdfast/core";
import type { Directory } from "holdfast";
import type { DaemonOutput } from "./daemon-output.ts";
import { printLog } from "./print-log.ts";

export interface LogPrinterOptions {
  /** Its topologies must not have been added yet. */
  readonly directory: Directory;
  readonly output: DaemonOutput;
  /** Called when the printing of a log fails, which nothing but a bug can cause. */
  readonly onFailure: (error: unknown) => void;
}

/** Prints the log of each topology from the moment at which it appears. */
export class LogPrinter {
  readonly #options: LogPrinterOptions;
  readonly #end: AbortController = new AbortController();
  readonly #printing: Set<Promise<void>> = new Set();
  readonly #unsubscribe: () => void;
  #hasStarted = false;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
    this.#unsubscribe = options.directory.onChange(({ type, name }) =>
      type === "appeared" ? this.#add(name) : this.#remove(name),
    );
  }

  /** From now on, topologies that appear are reported. Those of the start are not. */
  start(): void {
    this.#hasStarted = true;
  }

  /** Resolves once every event of every log is printed. Topologies that appear later are ignored. */
  async end(): Promise<void> {
    this.#unsubscribe();
    this.#end.abort();
    await Promise.all(this.#printing);
  }

  #add(name: TopologyName): void {
    const { directory, output, onFailure } = this.#options;
    const topology = directory.find(name);
    if (topology === undefined) return;
    output.appeared(name);
    if (this.#hasStarted) this.#note("appeared", name);
    const log = topology.service.topology;
    const printing = printLog({ log, topology: name, output, signal: this.#end.signal })
      .catch(onFailure)
      .finally(() => this.#printing.delete(printing));
    this.#printing.add(printing);
  }

  #remove(name: TopologyName): void {
    // The printing goes on until the log ends, with the status "stopped".
    this.#note("disappeared", name);
    this.#options.output.disappeared(name);
  }

  #note(kind: "appeared" | "disappeared", topology: TopologyName): void {
    this.#options.output.note({ kind, topology, text: `the topology "${topology}"` });
  }
}
