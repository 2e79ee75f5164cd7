import { whenAborted, type ClusterNodeInput } from "@holdfast/core";
import { http, HttpResponse, type RequestHandler } from "msw";
import { toEntry } from "./fake-consul.ts";

type Mode = "works" | "broken" | "hangs";

/** A Consul that exists only as handlers of mocked HTTP: no socket is ever opened. */
export class MockedConsul {
  readonly address: string;
  readonly handlers: readonly RequestHandler[];
  #mode: Mode = "works";
  #index = 1;
  #entries: readonly unknown[] = [];
  #news: PromiseWithResolvers<void> = Promise.withResolvers();
  /** Requests that wait for an answer. */
  #open = 0;

  /** `name` tells one from the other. */
  constructor(name: string) {
    this.address = `http://${name}.consul.test:8500`;
    this.handlers = [
      http.get(`${this.address}/v1/status/leader`, () =>
        this.#answer(() => HttpResponse.json("10.0.0.1:8300")),
      ),
      http.post(`${this.address}/v1/internal/acl/authorize`, () =>
        this.#answer(() => HttpResponse.text("ACL support disabled", { status: 401 })),
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
    this.#tell();
  }

  become(mode: Mode): void {
    this.#mode = mode;
    this.#tell();
  }

  /** Wakes whatever waits, to look again. */
  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  async #health(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const since = Number(searchParams.get("index") ?? 0);
    this.#open++;
    using _ = whenAborted(request.signal, () => this.#tell());
    try {
      while (this.#mode === "works" && this.#index <= since && !request.signal.aborted)
        await this.#news.promise;
    } finally {
      this.#open--;
    }
    const isLifeCheck = searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    return this.#answer(() =>
      HttpResponse.json(isLifeCheck ? [] : [...this.#entries], {
        headers: { "x-consul-index": String(this.#index), "x-consul-knownleader": "true" },
      }),
    );
  }

  async #answer(answer: () => Response): Promise<Response> {
    while (this.#mode === "hangs") await this.#news.promise;
    if (this.#mode === "works") return answer();
    return HttpResponse.text("rpc error: No cluster leader", { status: 500 });
  }
}
