import type { FoundService } from "@holdfast/core";
import { parseJson, textOf } from "@holdfast/core/adapter";
import type { ObjectChange } from "../sharing/object-change.ts";
import type { ObjectView } from "../sharing/object-view.ts";
import { ALL_SERVICES } from "./service-form.ts";

interface KnownService {
  readonly text: string;
  /** Undefined when the Service cannot be used. */
  readonly found: FoundService | undefined;
}

/** The Services that a discovery finds. */
export class ServiceView implements ObjectView {
  readonly group: string = ALL_SERVICES;
  readonly settlesAt: undefined = undefined;
  readonly #known = new Map<string, KnownService>();
  #services: readonly FoundService[] | undefined;

  /** The Services, sorted by name, then by namespace; the same array until one of them changes. */
  get services(): readonly FoundService[] {
    this.#services ??= [...this.#known.values()]
      .flatMap(({ found }) => (found === undefined ? [] : [found]))
      .sort(compareServices);
    return this.#services;
  }

  /** Does nothing, because `sync` reads the texts. */
  prepare(): void {}

  apply({ key, text }: ObjectChange): void {
    if (text === undefined) this.#remove(key);
    else this.#put(key, text);
  }

  async sync(objects: Iterable<readonly [key: string, text: string]>): Promise<void> {
    const gone = new Set(this.#known.keys());
    for (const [key, text] of objects) {
      gone.delete(key);
      this.#put(key, text);
    }
    for (const key of gone) this.#remove(key);
  }

  /** Does nothing, because all changes take effect at once. */
  settle(): void {}

  #put(key: string, text: string): void {
    if (this.#known.get(key)?.text === text) return;
    this.#known.set(key, { text, found: toFound(text) });
    this.#services = undefined;
  }

  #remove(key: string): void {
    if (this.#known.delete(key)) this.#services = undefined;
  }
}

/** Returns undefined for a Service without a name, and for one that is only an alias of a host name and has no EndpointSlices. */
function toFound(text: string): FoundService | undefined {
  const service = parseJson(text);
  const name = textOf(service, "name") ?? "";
  if (name === "" || textOf(service, "type") === "ExternalName") return undefined;
  return { name, values: { namespace: textOf(service, "namespace") ?? "" } };
}

function compareServices(a: FoundService, b: FoundService): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  const [first = "", second = ""] = [a.values?.["namespace"], b.values?.["namespace"]];
  return first < second ? -1 : first > second ? 1 : 0;
}
