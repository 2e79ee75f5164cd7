/** An instance of a service, as Consul's health API lists it. */
export interface Instance {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly weight: number;
  /** The status of each check, by its id. */
  readonly checks: Readonly<Record<string, string>>;
}

interface HealthEntry {
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
    readonly Weights: { readonly Passing: number };
  };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

/** Asks Consul with plain HTTP, as an observer that shares no code with a registrar or a provider. Sorted by id. */
export async function findInstances(
  address: string,
  service: string,
  { isPassing }: { readonly isPassing: boolean },
): Promise<readonly Instance[]> {
  const response = await fetch(`${address}/v1/health/service/${service}${isPassing ? "?passing" : ""}`);
  if (!response.ok) throw new Error(`status ${response.status}`);
  const entries = (await response.json()) as readonly HealthEntry[];
  const instances = entries.map(({ Service, Checks }) => ({
    id: Service.ID,
    host: Service.Address,
    port: Service.Port,
    tags: Service.Tags ?? [],
    meta: Service.Meta ?? {},
    weight: Service.Weights.Passing,
    checks: Object.fromEntries(Checks.map(({ CheckID, Status }) => [CheckID, Status])),
  }));
  return instances.sort((a, b) => (a.id < b.id ? -1 : 1));
}
