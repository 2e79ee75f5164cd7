import { systemClock, whenAborted, type ClusterNodeInput } from "@holdfast/core";
import { http, HttpResponse, type RequestHandler } from "msw";
import { toSlices, type FakeSlice } from "./fake-api-server.ts";

type Mode = "works" | "broken" | "hangs";
type Watcher = ReadableStreamDefaultController<Uint8Array>;

/** The duration of a watch in milliseconds; `timeoutSeconds` is ignored. */
const WATCH_MS = 80;

/** An API server that consists only of a handler for mocked HTTP. It opens no socket. */
export class MockedApiServer {
  readonly address: string;
  readonly handler: RequestHandler;
  #mode: Mode = "works";
  #version = 100;
  #slices = new Map<string, FakeSlice>();
  readonly #history: { readonly version: number; readonly line: Uint8Array }[] = [];
  readonly #watchers = new Set<Watcher>();
  #modeChanged: PromiseWithResolvers<void> = Promise.withResolvers();

  /** `name` distinguishes the servers. */
  constructor(name: string) {
    this.address = `http://${name}.cluster.test:6443`;
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    this.handler = http.get(this.address + path, ({ request }) => this.#respond(request));
  }

  publish(nodes: readonly ClusterNodeInput[]): void {
    const wanted = new Map(toSlices(nodes).map((slice) => [slice.metadata.name, slice]));
    for (const [name, slice] of this.#slices) if (!wanted.has(name)) this.#sendEvent("DELETED", slice);
    for (const slice of wanted.values()) this.#sendEvent("MODIFIED", slice);
    this.#slices = wanted;
  }

  setMode(mode: Mode): void {
    this.#mode = mode;
    this.#modeChanged.resolve();
    this.#modeChanged = Promise.withResolvers();
    if (mode === "broken") for (const watcher of this.#watchers) this.#drop(watcher);
  }

  async #respond(request: Request): Promise<Response> {
    while (this.#mode === "hangs") await this.#modeChanged.promise;
    if (this.#mode === "broken") return HttpResponse.json({ kind: "Status", code: 500 }, { status: 500 });
    const { searchParams } = new URL(request.url);
    if (searchParams.has("watch")) return this.#watch(Number(searchParams.get("resourceVersion")), request);
    const metadata = { resourceVersion: String(this.#version) };
    const items = [...this.#slices.values()].map((slice) => JSON.stringify(slice));
    const text = `{"kind":"EndpointSliceList","metadata":${JSON.stringify(metadata)},"items":[${items.join()}]}`;
    return new HttpResponse(text, { headers: { "content-type": "application/json" } });
  }

  #watch(since: number, request: Request): Response {
    const body = new ReadableStream<Uint8Array>({
      start: (watcher) => {
        // msw sends the headers only with the first bytes.
        watcher.enqueue(Buffer.from("\n"));
        for (const { version, line } of this.#history) if (version > since) watcher.enqueue(line);
        this.#watchers.add(watcher);
        const timer = systemClock.schedule(WATCH_MS, () => this.#end(watcher));
        whenAborted(request.signal, () => {
          timer[Symbol.dispose]();
          this.#watchers.delete(watcher);
        });
      },
    });
    return new HttpResponse(body, { headers: { "content-type": "application/json" } });
  }

  /** Ends a watch with a bookmark, unless the server hangs. */
  #end(watcher: Watcher): void {
    if (this.#mode === "hangs" || !this.#watchers.delete(watcher)) return;
    watcher.enqueue(this.#toLine("BOOKMARK", { metadata: {} }));
    watcher.close();
  }

  #drop(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.error(new Error("the connection was closed"));
  }

  #sendEvent(type: string, slice: FakeSlice): void {
    this.#version++;
    const line = this.#toLine(type, slice);
    this.#history.push({ version: this.#version, line });
    if (this.#mode === "works") for (const watcher of this.#watchers) watcher.enqueue(line);
  }

  #toLine(type: string, object: Pick<FakeSlice, never> & { readonly metadata: object }): Uint8Array {
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    return Buffer.from(`${JSON.stringify({ type, object: { ...object, metadata } })}\n`);
  }
}
