import { createHash } from "node:crypto";
import { heartbeatMsOf, toHealthPolicy, type HealthPolicy } from "@holdfast/provisioning";
import {
  formatPath,
  toProvisioningError,
  toReason,
  type AnyProviderAdapter,
  type Clock,
  type FoundService,
  type ProvisioningError,
  type Random,
  type ServiceDiscovery,
  type TopologyName,
} from "@holdfast/core";
import type { DirectoryWarning } from "../directory/directory-warning.ts";
import type { TopologyDefinition } from "../directory/topology-definition.ts";
import type { DiscoveryDefinition, DiscoverySource } from "./discovery-definition.ts";
import { DEFAULT_NAME_TEMPLATE, FoundDefinitions, keyOf, type Misfit } from "./found-definitions.ts";
import { toPresencePolicy } from "./presence-policy.ts";
import { ServicePresence, type PresenceHold, type ServiceList, type SourceKey } from "./service-presence.ts";
import { SourceWatch } from "./source-watch.ts";
import { WarnOnce } from "./warn-once.ts";

export interface DiscoveryParts {
  /** Must be valid, see `findDiscoveryProblems`. */
  readonly definition: DiscoveryDefinition;
  readonly at: readonly PropertyKey[];
  readonly adapters: readonly AnyProviderAdapter[];
  readonly clock: Clock;
  readonly random: Random;
  /** What the sources have listed in an earlier run. */
  readonly known: ReadonlyMap<SourceKey, readonly FoundService[]>;
  /** Services that are present until the sources have answered. */
  readonly orphans?: ServiceList | undefined;
  /** The services have changed, or are known for the first time. */
  readonly onChange: () => void;
  /** What the sources have listed has changed. */
  readonly onListed: () => void;
  readonly onWarning: (warning: DirectoryWarning) => void;
}

/** How many names a warning lists. */
const NAMED_IN_WARNING = 5;

/** One entry of the configured discoveries: watches its sources and defines the topologies of the services that are present. */
export class Discovery implements AsyncDisposable {
  readonly definition: DiscoveryDefinition;
  readonly #parts: DiscoveryParts;
  readonly #policy: HealthPolicy;
  readonly #presence: ServicePresence;
  readonly #found: FoundDefinitions;
  readonly #warnings: WarnOnce;
  readonly #sources: ReadonlyMap<SourceKey, { readonly source: DiscoverySource; readonly name: string }>;
  readonly #watches: SourceWatch[] = [];
  readonly #misfits = new Map<SourceKey, readonly Misfit[]>();
  #services: ServiceList = new Map();
  #wake: Disposable | undefined;
  #isClosed = false;

  /** Opens no connection. */
  constructor(parts: DiscoveryParts) {
    const { definition, at, adapters, known, orphans } = parts;
    this.#parts = parts;
    this.definition = definition;
    this.#policy = toHealthPolicy(definition.settings?.health);
    this.#found = new FoundDefinitions(definition, adapters);
    this.#warnings = new WarnOnce(parts.onWarning);
    this.#sources = new Map(
      definition.sources.map((source, index) => [
        toSourceKey(definition, source),
        { source, name: `"${source.kind}" (${formatPath([...at, "from", index])})` },
      ]),
    );
    const sources = [...this.#sources.keys()];
    const lists = sources.flatMap((key): [SourceKey, ServiceList][] => {
      const services = known.get(key);
      return services === undefined ? [] : [[key, this.#found.toList(services).list]];
    });
    const policy = toPresencePolicy(definition);
    this.#presence = new ServicePresence({ policy, sources, known: new Map(lists), orphans });
    this.#refresh();
  }

  /** The services that are present, by the name of their topology. */
  get services(): ServiceList {
    return this.#services;
  }

  /** The definition of the topology of a service that is present; undefined, with a warning, when its parameters are not valid. */
  define(name: TopologyName): TopologyDefinition | undefined {
    const service = this.#services.get(name);
    if (service === undefined) return undefined;
    const key = `service:${name}`;
    const result = this.#found.define(name, service);
    if ("code" in result) {
      this.#warnings.report(key, toMisfitWarning({ service: service.name, reason: result }));
      return undefined;
    }
    this.#warnings.clear(key);
    return result;
  }

  /** Whether any source has listed its services, in this run or an earlier one. */
  get isKnown(): boolean {
    return this.#presence.isKnown;
  }

  /** What each source has listed, for the next run. */
  get lists(): ReadonlyMap<SourceKey, readonly FoundService[]> {
    return new Map([...this.#presence.lists].map(([key, list]) => [key, [...list.values()]]));
  }

  /** Starts to watch the sources. */
  open(): void {
    const { adapters, clock, random } = this.#parts;
    const context = { clock, random, heartbeatMs: heartbeatMsOf(this.#policy) };
    for (const [key, { source, name }] of this.#sources) {
      try {
        const adapter = adapters.find(({ kind }) => kind === source.kind)?.discovery;
        if (adapter === undefined) continue;
        const discovery = adapter.create(adapter.params.parse(source.params), context);
        this.#watches.push(this.#watch(key, name, discovery));
      } catch (cause) {
        // The code of an adapter must not affect the other sources.
        const message = `the adapter of kind "${source.kind}" failed to create a discovery`;
        this.#onFailure(key, name, toProvisioningError(cause, "LIFECYCLE_INTERNAL", message));
      }
    }
  }

  /** Ends the watches. The services stay as they are. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#wake?.[Symbol.dispose]();
    await Promise.all(this.#watches.map((watch) => watch[Symbol.asyncDispose]()));
  }

  #watch(key: SourceKey, name: string, discovery: ServiceDiscovery): SourceWatch {
    const { clock, random } = this.#parts;
    return new SourceWatch({
      discovery,
      name,
      policy: this.#policy,
      clock,
      random,
      onServices: (services, isReset) => this.#onServices(key, services, isReset),
      onAlive: () => this.#onAlive(key),
      onFailure: (error) => this.#onFailure(key, name, error),
    });
  }

  #onServices(key: SourceKey, services: readonly FoundService[], isReset: boolean): void {
    const { list, misfits } = this.#found.toList(services);
    this.#misfits.set(key, misfits);
    this.#reportMisfits();
    this.#warnings.clear(`source:${key}`);
    const wasKnown = this.#presence.isKnown;
    this.#presence.listed(key, list, isReset, this.#now());
    this.#refresh();
    if (!wasKnown) this.#parts.onChange();
    this.#parts.onListed();
  }

  #onAlive(key: SourceKey): void {
    this.#warnings.clear(`source:${key}`);
    this.#changePresence(() => this.#presence.alive(key, this.#now()));
  }

  #onFailure(key: SourceKey, name: string, error: ProvisioningError): void {
    const { code, message, details } = toReason(error);
    const text = `the services of ${name} cannot be listed; what it listed last stays: ${message}`;
    this.#warnings.report(`source:${key}`, { code, message: text, details });
    this.#changePresence(() => this.#presence.failed(key, this.#now()));
  }

  /** Calls a method that can only remove services. */
  #changePresence(change: () => void): void {
    const { size } = this.#presence;
    change();
    if (this.#presence.size === size) return this.#schedule();
    this.#refresh();
    this.#parts.onListed();
  }

  #refresh(): void {
    const before = this.#services;
    const services = this.#presence.services;
    this.#services = services;
    this.#found.keepOnly(services);
    this.#warnings.keepOnly("service:", services);
    this.#reportHolds();
    this.#schedule();
    if (!isSame(before, services)) this.#parts.onChange();
  }

  /** Time alone can remove services. */
  #schedule(): void {
    this.#wake?.[Symbol.dispose]();
    this.#wake = undefined;
    const { wakeAt } = this.#presence;
    if (wakeAt === Number.POSITIVE_INFINITY || this.#isClosed) return;
    this.#wake = this.#parts.clock.schedule(wakeAt - this.#now(), () =>
      this.#changePresence(() => this.#presence.tick(this.#now())),
    );
  }

  #reportMisfits(): void {
    const misfits = [...this.#misfits.values()].flat();
    this.#warnings.reportAll(
      "name:",
      new Map(misfits.map((misfit) => [misfit.service, toMisfitWarning(misfit)])),
    );
  }

  #reportHolds(): void {
    const warnings = this.#presence.holds.map((hold): [string, DirectoryWarning] => {
      const details = {
        hold: hold.kind,
        count: hold.names.length,
        names: hold.names.slice(0, NAMED_IN_WARNING),
      };
      return [hold.kind, { code: "TOPOLOGY_REMOVAL_HELD", message: this.#describe(hold), details }];
    });
    this.#warnings.reportAll("hold:", new Map(warnings));
  }

  /** The same text as long as the hold lasts, so that it is reported once. */
  #describe({ kind }: PresenceHold): string {
    const at = formatPath(this.#parts.at);
    const { massRemoval } = toPresencePolicy(this.definition);
    const most = massRemoval === false ? "" : ` for ${massRemoval.holdMs} ms`;
    const texts: Record<PresenceHold["kind"], string> = {
      mass_removal: `many of the services of ${at} are no longer listed; their topologies are kept${most}`,
      reset: `a backend of ${at} has lost its history; the topologies of services that it does not list are kept${most}`,
      contradiction: `a source of ${at} lists no services, which another source contradicts; their topologies are kept`,
    };
    return texts[kind];
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }
}

/** Identifies what a source has listed. The names of topologies depend on the template. */
function toSourceKey({ topology }: DiscoveryDefinition, { kind, params }: DiscoverySource): SourceKey {
  const identity = JSON.stringify([topology ?? DEFAULT_NAME_TEMPLATE, kind, params]);
  return createHash("sha256").update(identity).digest("hex");
}

function toMisfitWarning({ service, reason }: Misfit): DirectoryWarning {
  const message = `the service "${service}" has no topology: ${reason.message}`;
  return { code: reason.code, message, details: { ...reason.details, service } };
}

function isSame(a: ServiceList, b: ServiceList): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, service]) => {
    const other = b.get(name);
    return other === service || (other !== undefined && keyOf(other) === keyOf(service));
  });
}
