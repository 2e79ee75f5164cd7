import type { Clock, Reason, TopologyEvent } from "@holdfast/core";
import type { ServiceWarning } from "@holdfast/provisioning";
import { toErrorDocument, toErrorLines } from "../output/error-lines.ts";
import { toEventDocument } from "../output/event-document.ts";
import { toEventLine, toTimeOfDay } from "../output/event-line.ts";
import { toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import type { LineWriter } from "../output/line-writer.ts";
import type { Paint } from "../output/paint.ts";
import { toPrintable } from "../output/printable.ts";

/** A report in addition to the log: a kind and facts for programs, and a text for people. */
export interface DaemonNote {
  readonly kind: string;
  readonly facts?: JsonDocument;
  readonly text: string;
}

/** A warning of the service, or a reason that does not concern a provider. */
export type DaemonWarning = Reason & Pick<ServiceWarning, "providerId">;

export interface DaemonOutputOptions {
  readonly writer: LineWriter;
  readonly paint: Paint;
  readonly clock: Clock;
  /** True: print one JSON document per line (NDJSON) instead of text. */
  readonly isJson: boolean;
}

/** Prints everything that the daemon writes to standard output, in the order in which it happens. */
export class DaemonOutput {
  readonly #options: DaemonOutputOptions;

  constructor(options: DaemonOutputOptions) {
    this.#options = options;
  }

  /** Resolves when the next event can be printed. */
  event(event: TopologyEvent): Promise<void> {
    const { writer, paint, isJson } = this.#options;
    return writer.write(isJson ? toJsonPieces(toEventDocument(event)) : toEventLine(event, paint));
  }

  warning({ code, message, providerId, details }: DaemonWarning): void {
    this.#print({ kind: "warning", facts: { code, message, providerId, details }, text: message }, "yellow");
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

  #print({ kind, facts, text }: DaemonNote, colour: "cyan" | "yellow" | "red"): void {
    const { writer, paint, clock, isJson } = this.#options;
    const at = clock.now();
    if (isJson) {
      void writer.write(toJsonPieces({ kind, at, ...facts }));
    } else {
      const head = `${paint("dim", toTimeOfDay(at))}  ${paint(colour, "*".padEnd(5))}`;
      void writer.write(`${head} ${paint(colour, kind.padEnd(17))}  ${toPrintable(text)}`);
    }
  }
}
