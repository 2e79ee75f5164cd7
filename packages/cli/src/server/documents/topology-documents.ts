import type { Clock, LogPosition, TopologyEvent, TopologyName, TopologyState } from "@holdfast/core";
import { toEventDocument } from "../../output/event-document.ts";
import { toJsonPieces } from "../../output/json-pieces.ts";
import { formatNamedPosition, formatPosition } from "../event-position.ts";
import type { DocumentPool, DocumentSource, EncodingOptions, Section } from "../sending/document-pool.ts";
import type { SharedDocument } from "../sending/shared-document.ts";
import { STATE_REUSE_MS } from "../server-limits.ts";
import type { ServerView } from "../server-view.ts";
import { MemberSections } from "./member-sections.ts";
import { PendingWork } from "./pending-work.ts";
import { toStateHead } from "./state-head.ts";
import { toEtag } from "./topology-etag.ts";

/**
 * How a document is sent: `json` as a response, `one` as an event on the stream of its topology, `named` as an event on a stream of
 * several topologies, with the name in its id.
 */
export type DocumentForm = "json" | "one" | "named";

/** The whole topology at one moment. */
export interface StateDocument {
  readonly document: SharedDocument;
  readonly position: LogPosition;
  readonly etag: string;
}

/** One event of the log. */
export interface EventDocument {
  readonly document: SharedDocument;
  readonly seqNo: number;
  /** True for the last event of the topology that its followers receive. */
  readonly isLast: boolean;
}

export interface StateOptions extends EncodingOptions {
  readonly form: DocumentForm;
  /** The hash of the content that the reader holds: it needs no members while the snapshot has that hash. */
  readonly have?: string | undefined;
}

export interface EventOptions extends EncodingOptions {
  readonly form: Exclude<DocumentForm, "json">;
}

export interface TopologyDocumentsOptions {
  readonly name: TopologyName;
  readonly view: ServerView;
  /** The id of this daemon. */
  readonly instance: string;
  readonly pool: DocumentPool;
  readonly clock: Clock;
}

/** The state at one moment, without the content itself, so that it keeps no members in memory. */
interface Version {
  readonly position: LogPosition;
  readonly etag: string;
  readonly hash: string | undefined;
  readonly madeAt: number;
  /** The keys of the documents and of the head that they share. */
  readonly keys: Map<string, object>;
  readonly documents: Map<string, SharedDocument>;
}

/** Number of events whose documents are kept. Older ones are encoded again for clients that are behind. */
const RECENT_EVENTS = 8;

/** The end of a frame of Server-Sent Events (WHATWG HTML, 9.2). */
const FRAME_END = "\n\n";

/** The documents of one topology. Each is encoded once for all of its readers. */
export class TopologyDocuments {
  readonly #options: TopologyDocumentsOptions;
  readonly #members = new MemberSections();
  readonly #states = new PendingWork<StateDocument>();
  readonly #events = new PendingWork<EventDocument | undefined>();
  /** By form and number; oldest first. */
  readonly #recent: Map<string, EventDocument> = new Map();
  #version: Version | undefined;
  /** The documents of earlier versions. They are kept until the next one, which shares most sections with them, is encoded. */
  #outdated: SharedDocument[] = [];

  constructor(options: TopologyDocumentsOptions) {
    this.#options = options;
  }

  /** The tag of the newest state. */
  get etag(): string {
    const { view } = this.#options;
    return toEtag(view, view.log.state);
  }

  /** The newest state, for a response. */
  async current(options: EncodingOptions): Promise<StateDocument> {
    for (;;) {
      const version = this.#version;
      const isCurrent = version !== undefined && this.#isRecent(version) && version.etag === this.etag;
      const state = await this.#state({ ...options, form: "json" }, isCurrent ? version : undefined);
      if (!state.document.isEvicted) return state;
    }
  }

  /** A state that the log continues: the newest one, or one that is up to a second old. */
  state(options: StateOptions): StateDocument | Promise<StateDocument> {
    const version = this.#version;
    const isUsable = version !== undefined && this.#isRecent(version) && this.#isContinued(version.position);
    return this.#state(options, isUsable ? version : undefined);
  }

  /** The event with this number; `undefined` when the log no longer holds it. */
  event(
    seqNo: number,
    options: EventOptions,
  ): EventDocument | undefined | Promise<EventDocument | undefined> {
    const { form, isDeflated } = options;
    const name = `${form}:${seqNo}`;
    const recent = this.#recent.get(name);
    if (recent !== undefined && isReady(recent.document, isDeflated)) return recent;
    return this.#events.run(`${name}:${isDeflated}`, () => this.#encodeEvent(seqNo, options));
  }

  #state(options: StateOptions, version: Version | undefined): StateDocument | Promise<StateDocument> {
    const { form, have, isDeflated } = options;
    if (version !== undefined) {
      const document = version.documents.get(toVariant(version, options));
      if (document !== undefined && isReady(document, isDeflated)) return toStateDocument(version, document);
    }
    return this.#states.run(`${form}:${isDeflated}:${have}`, () => this.#encodeState(options));
  }

  #encodeState(options: StateOptions): StateDocument | Promise<StateDocument> {
    let version!: Version;
    let variant!: string;
    const find = () => {
      const { state } = this.#options.view.log;
      version = this.#versionOf(state);
      variant = toVariant(version, options);
      return this.#toSource(version, variant, state, options.form);
    };
    const keep = (document: SharedDocument) => {
      version.documents.set(variant, document);
      for (const outdated of this.#outdated) this.#options.pool.retire(outdated);
      this.#outdated = [];
      return toStateDocument(version, document);
    };
    // A source is always found.
    const document = this.#options.pool.get(find, options)!;
    return document instanceof Promise ? document.then((late) => keep(late!)) : keep(document);
  }

  #versionOf(state: TopologyState): Version {
    const { view, clock } = this.#options;
    const etag = toEtag(view, state);
    const version = this.#version;
    if (version !== undefined && this.#isRecent(version) && version.etag === etag) return version;
    const { epoch, seqNo, snapshot } = state;
    this.#outdated.push(...(version?.documents.values() ?? []));
    return (this.#version = {
      position: { epoch, seqNo },
      etag,
      hash: snapshot?.hash,
      madeAt: clock.monotonic(),
      keys: new Map(),
      documents: new Map(),
    });
  }

  #toSource(version: Version, variant: string, state: TopologyState, form: DocumentForm): DocumentSource {
    const { view, instance } = this.#options;
    const head = { key: keyOf(version, "head"), toPieces: () => toStateHead(view, instance, state) };
    const end = form === "json" ? "" : FRAME_END;
    const sections = [
      ...(form === "json" ? [] : [text(this.#toFrameHead("state", version.position, form))]),
      head,
      ...(isBare(variant)
        ? [text(`}${end}`)]
        : [text(',"members":['), ...this.#members.of(state.snapshot?.members), text(`]}${end}`)]),
    ];
    return { key: keyOf(version, variant), sections };
  }

  #encodeEvent(
    seqNo: number,
    options: EventOptions,
  ): EventDocument | undefined | Promise<EventDocument | undefined> {
    let event: TopologyEvent | undefined;
    const find = () => {
      event = this.#eventOf(seqNo);
      return event && this.#toEventSource(event, options.form);
    };
    const keep = (document: SharedDocument | undefined) =>
      event && document && this.#keepEvent(toEventDocumentOf(event, document), options.form);
    const document = this.#options.pool.get(find, options);
    return document instanceof Promise ? document.then(keep) : keep(document);
  }

  #eventOf(seqNo: number): TopologyEvent | undefined {
    const { log } = this.#options.view;
    return log.eventsSince(log.state.epoch, seqNo - 1, 1)?.[0];
  }

  #toEventSource(event: TopologyEvent, form: "one" | "named"): DocumentSource {
    const { epoch, seqNo, kind } = event;
    const head = this.#toFrameHead(kind, { epoch, seqNo }, form);
    const body = { toPieces: () => toJsonPieces(toEventDocument(event)) };
    // Documents of the two forms must not have the same key.
    const key = form === "one" ? event : { event };
    return { key, sections: [text(head), body, text(FRAME_END)] };
  }

  #keepEvent(document: EventDocument, form: string): EventDocument {
    const name = `${form}:${document.seqNo}`;
    this.#recent.delete(name);
    this.#recent.set(name, document);
    const [oldest] = this.#recent;
    if (this.#recent.size > RECENT_EVENTS && oldest !== undefined) {
      this.#recent.delete(oldest[0]);
      this.#options.pool.retire(oldest[1].document);
    }
    return document;
  }

  /** Returns the first lines of a frame of Server-Sent Events (WHATWG HTML, 9.2). */
  #toFrameHead(event: string, position: LogPosition, form: "one" | "named"): string {
    const { name } = this.#options;
    const id = form === "one" ? formatPosition(position) : formatNamedPosition(name, position);
    return `id: ${id}\nevent: ${event}\ndata: `;
  }

  #isRecent({ madeAt }: Version): boolean {
    return this.#options.clock.monotonic() - madeAt < STATE_REUSE_MS;
  }

  #isContinued({ epoch, seqNo }: LogPosition): boolean {
    return this.#options.view.log.eventsSince(epoch, seqNo, 1) !== undefined;
  }
}

function text(piece: string): Section {
  return { toPieces: () => [piece] };
}

const BARE = ":bare";

/** The name of a document of a version. A bare one has no members. */
function toVariant({ hash }: Version, { form, have }: StateOptions): string {
  return have !== undefined && have === hash ? form + BARE : form;
}

function isBare(variant: string): boolean {
  return variant.endsWith(BARE);
}

function keyOf({ keys }: Version, name: string): object {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = {};
  keys.set(name, key);
  return key;
}

/** A short document is compressed when it is sent. */
function isReady(document: SharedDocument, isDeflated: boolean): boolean {
  return !document.isEvicted && (!isDeflated || document.isShort || document.isDeflated);
}

function toStateDocument({ position, etag }: Version, document: SharedDocument): StateDocument {
  return { document, position, etag };
}

function toEventDocumentOf(event: TopologyEvent, document: SharedDocument): EventDocument {
  const isLast = event.kind === "status_changed" && (event.to === "draining" || event.to === "stopped");
  return { document, seqNo: event.seqNo, isLast };
}
