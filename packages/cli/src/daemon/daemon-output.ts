import {
  DEFAULT_TOPOLOGY,
  SerialQueue,
  type Clock,
  type Reason,
  type TopologyEvent,
  type TopologyName,
} from "@holdfast/core";
import type { DirectoryWarning } from "holdfast";
import { toErrorDocument, toErrorLines } from "../output/error-lines.ts";
import { toEventDocument } from "../output/event-document.ts";
import { toEventLine, toLineHead } from "../output/event-line.ts";
import { toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import type { LineWriter } from "../output/line-writer.ts";
import type { Paint } from "../output/paint.ts";
import { toPrintable } from "../output/printable.ts";

/** A report in addition to the log: a kind and facts for programs, and a text for people. */
export interface DaemonNote {
  readonly kind: string;
  /** The topology that it concerns. @defaultValue none, or all of them */
  readonly topology?: TopologyName | undefined;
  readonly facts?: JsonDocument;
  readonly text: string;
}

/** A warning of a topology, or a reason that does not concern one. */
export type DaemonWarning = Reason & Pick<DirectoryWarning, "topology" | "providerId">;

export interface DaemonOutputOptions {
  readonly writer: LineWriter;
  readonly paint: Paint;
  readonly clock: Clock;
  /** True: print one JSON document per line (NDJSON) instead of text. */
  readonly isJson: boolean;
}

/** Longer names of topologies are not aligned. */
const MAX_NAME_WIDTH = 24;

/**
 * Prints everything that the daemon writes to standard output, in the order in which it happens. Lines of text name the
 * topology that they concern, unless `default` is the only one. JSON always names it.
 */
export class DaemonOutput {
  readonly #options: DaemonOutputOptions;
  readonly #topologies: Set<TopologyName> = new Set();
  readonly #events: SerialQueue = new SerialQueue();
  #nameWidth = 0;

  constructor(options: DaemonOutputOptions) {
    this.#options = options;
  }

  appeared(topology: TopologyName): void {
    this.#topologies.add(topology);
    this.#nameWidth = Math.min(Math.max(this.#nameWidth, topology.length), MAX_NAME_WIDTH);
  }

  disappeared(topology: TopologyName): void {
    this.#topologies.delete(topology);
  }

  /** Resolves when the next event of this topology can be printed. */
  event(event: TopologyEvent, topology: TopologyName): Promise<void> {
    const { writer, paint, isJson } = this.#options;
    // However many topologies there are, only one event at a time waits for a slow reader, so that none is dropped.
    return this.#events.run(() =>
      writer.write(
        isJson
          ? toJsonPieces({ topology, ...toEventDocument(event) })
          : toEventLine(event, { paint, topology: this.#nameOf(topology) }),
      ),
    );
  }

  warning({ topology, code, message, providerId, details }: DaemonWarning): void {
    const facts = { code, message, providerId, details };
    this.#print({ kind: "warning", topology, facts, text: message }, "yellow");
  }

  note(note: DaemonNote): void {
    this.#print(note, "cyan");
  }

  /** Prints a failure after which the daemon continues. */
  failure(kind: string, text: string, error: unknown): void {
    const { writer, paint, isJson } = this.#options;
    this.#print({ kind, facts: toErrorDocument(error), text }, "red");
    if (!isJson) for (const line of toErrorLines(error, paint)) void writer.write(`  ${line}`);
  }

  /** Prints the first lines. */
  greet(facts: JsonDocument, lines: readonly string[]): void {
    const { writer, isJson } = this.#options;
    if (isJson) this.#print({ kind: "started", facts, text: "" }, "cyan");
    else for (const line of lines) void writer.write(line);
  }

  #print({ kind, topology, facts, text }: DaemonNote, colour: "cyan" | "yellow" | "red"): void {
    const { writer, paint, clock, isJson } = this.#options;
    const at = clock.now();
    if (isJson) {
      void writer.write(toJsonPieces({ kind, topology, at, ...facts }));
    } else {
      const head = toLineHead({
        at,
        mark: paint(colour, "*".padEnd(5)),
        topology: this.#nameOf(topology),
        paint,
      });
      void writer.write(`${head} ${paint(colour, kind.padEnd(17))}  ${toPrintable(text)}`);
    }
  }

  /** Returns the column with the name of the topology; `undefined` when lines have no such column. */
  #nameOf(topology: TopologyName | undefined): string | undefined {
    const [first = DEFAULT_TOPOLOGY] = this.#topologies;
    const isOnly = this.#topologies.size <= 1 && first === DEFAULT_TOPOLOGY;
    return isOnly ? undefined : (topology ?? "").padEnd(this.#nameWidth);
  }
}
