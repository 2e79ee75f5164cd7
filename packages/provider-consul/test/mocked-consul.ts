import { whenAborted, type ClusterNodeInput } from "@holdfast/core";
import { http, HttpResponse, type RequestHandler } from "msw";
import { toEntry } from "./fake-consul.ts";

type Mode = "works" | "broken" | "hangs";

/** A Consul server that consists only of handlers for mocked HTTP. It opens no socket. */
export class MockedConsul {
  readonly address: string;
  readonly handlers: readonly RequestHandler[];
  #mode: Mode = "works";
  #index = 1;
  #entries: readonly unknown[] = [];
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();
  /** The number of requests that wait for a response. */
  #open = 0;

  /** `name` distinguishes the servers. */
  constructor(name: string) {
    this.address = `http://${name}.consul.test:8500`;
    this.handlers = [
      http.get(`${this.address}/v1/status/leader`, () =>
        this.#respond(() => HttpResponse.json("10.0.0.1:8300")),
      ),
      http.post(`${this.address}/v1/internal/acl/authorize`, () =>
        this.#respond(() => HttpResponse.text("ACL support disabled", { status: 401 })),
      ),
      http.get(`${this.address}/v1/health/service/:name`, ({ request }) => this.#health(request)),
    ];
  }

  get openRequests(): number {
    return this.#open;
  }

  publish(nodes: readonly ClusterNodeInput[]): void {
    this.#entries = nodes.map(toEntry);
    this.#index++;
    this.#wakeAll();
  }

  setMode(mode: Mode): void {
    this.#mode = mode;
    this.#wakeAll();
  }

  /** Makes all waiting requests check the state again. */
  #wakeAll(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #health(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const since = Number(searchParams.get("index") ?? 0);
    this.#open++;
    using _ = whenAborted(request.signal, () => this.#wakeAll());
    try {
      while (this.#mode === "works" && this.#index <= since && !request.signal.aborted)
        await this.#changed.promise;
    } finally {
      this.#open--;
    }
    const isIndexCheck = searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    return this.#respond(() =>
      HttpResponse.json(isIndexCheck ? [] : [...this.#entries], {
        headers: { "x-consul-index": String(this.#index), "x-consul-knownleader": "true" },
      }),
    );
  }

  async #respond(toResponse: () => Response): Promise<Response> {
    while (this.#mode === "hangs") await this.#changed.promise;
    if (this.#mode === "works") return toResponse();
    return HttpResponse.text("rpc error: No cluster leader", { status: 500 });
  }
}
