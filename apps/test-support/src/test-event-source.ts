export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read arbitrary fields
  readonly data: any;
}

export interface EventSourceOptions {
  readonly lastEventId?: string;
  /** The path and query. @defaultValue `/events` */
  readonly path?: string;
}

/** A client of `/events` that returns one event at a time. */
export class TestEventSource implements AsyncDisposable {
  readonly response: Response;
  readonly comments: string[] = [];
  /** The data of the events without an id: they are not of the log. */
  readonly notes: unknown[] = [];
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    this.response = response;
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(url: string, options: EventSourceOptions = {}): Promise<TestEventSource> {
    const { lastEventId, path = "/events" } = options;
    return new TestEventSource(
      await fetch(`${url}${path}`, {
        headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
      }),
    );
  }

  /** Returns the next event; `undefined` when the server has ended the stream. Comments and notes are collected. */
  async next(): Promise<ReceivedEvent | undefined> {
    for (;;) {
      const block = await this.#nextBlock();
      if (block === undefined) return undefined;
      const fields = new Map(block.split("\n").map((line) => splitField(line)));
      if (fields.has("")) this.comments.push(fields.get("")!);
      const event = fields.get("event");
      if (event === undefined) continue;
      const data = JSON.parse(fields.get("data")!);
      const id = fields.get("id");
      if (id !== undefined) return { id, event, data };
      this.notes.push({ event, data });
    }
  }

  async take(count: number): Promise<readonly ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    while (events.length < count) events.push((await this.next())!);
    return events;
  }

  /** Returns all events until the server ends the stream. */
  async rest(): Promise<readonly ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) events.push(event);
    return events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #nextBlock(): Promise<string | undefined> {
    // Search only the new text, because an event can have tens of megabytes.
    const parts: string[] = [];
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        parts.push(this.#text.slice(0, end));
        this.#text = this.#text.slice(end + 2);
        return parts.join("");
      }
      // The last character can be the first of the two line breaks.
      parts.push(this.#text.slice(0, -1));
      this.#text = this.#text.slice(-1);
      const { value } = await this.#reader.read();
      if (value === undefined) return undefined;
      this.#text += value;
    }
  }
}

function splitField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
}
