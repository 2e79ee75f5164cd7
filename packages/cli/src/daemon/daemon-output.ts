import type { Clock, Reason, TopologyEvent } from "@holdfast/core";
import type { ServiceWarning } from "@holdfast/provisioning";
import { toErrorDocument, toErrorLines } from "../output/error-lines.ts";
import { toEventDocument } from "../output/event-document.ts";
import { toEventLine, toTimeOfDay } from "../output/event-line.ts";
import { toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import type { LineWriter } from "../output/line-writer.ts";
import type { Paint } from "../output/paint.ts";
import { toPrintable } from "../output/printable.ts";

/** What the daemon reports besides the log: a kind and facts for machines, words for people. */
export interface DaemonNote {
  readonly kind: string;
  readonly facts?: JsonDocument;
  readonly words: string;
}

/** A warning of the service, or a reason that is not about a provider. */
export type DaemonWarning = Reason & Pick<ServiceWarning, "providerId">;

export interface DaemonOutputOptions {
  readonly writer: LineWriter;
  readonly paint: Paint;
  readonly clock: Clock;
  /** NDJSON, one document a line, instead of words. */
  readonly isJson: boolean;
}

/** Everything the daemon prints on standard output, in the order in which it happens. */
export class DaemonOutput {
  readonly #options: DaemonOutputOptions;

  constructor(options: DaemonOutputOptions) {
    this.#options = options;
  }

  /** Resolves when the next one may come. */
  event(event: TopologyEvent): Promise<void> {
    const { writer, paint, isJson } = this.#options;
    return writer.write(isJson ? toJsonPieces(toEventDocument(event)) : toEventLine(event, paint));
  }

  warning({ code, message, providerId, details }: DaemonWarning): void {
    this.#print({ kind: "warning", facts: { code, message, providerId, details }, words: message }, "yellow");
  }

  note(note: DaemonNote): void {
    this.#print(note, "cyan");
  }

  /** A failure that the daemon survives. */
  failure(kind: string, words: string, error: unknown): void {
    const { writer, paint, isJson } = this.#options;
    this.#print({ kind, facts: toErrorDocument(error), words }, "red");
    if (!isJson) for (const line of toErrorLines(error, paint)) void writer.write(`  ${line}`);
  }

  /** The first thing printed. */
  greet(facts: JsonDocument, lines: readonly string[]): void {
    const { writer, isJson } = this.#options;
    if (isJson) this.#print({ kind: "started", facts, words: "" }, "cyan");
    else for (const line of lines) void writer.write(line);
  }

  #print({ kind, facts, words }: DaemonNote, colour: "cyan" | "yellow" | "red"): void {
    const { writer, paint, clock, isJson } = this.#options;
    const at = clock.now();
    if (isJson) {
      void writer.write(toJsonPieces({ kind, at, ...facts }));
    } else {
      const head = `${paint("dim", toTimeOfDay(at))}  ${paint(colour, "*".padEnd(5))}`;
      void writer.write(`${head} ${paint(colour, kind.padEnd(17))}  ${toPrintable(words)}`);
    }
  }
}
