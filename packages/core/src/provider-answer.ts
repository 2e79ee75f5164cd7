import type { ProviderId } from "./provider-descriptor.ts";
import type { ProviderSnapshot } from "./provider-snapshot.ts";

/** What one of several providers said last. */
export interface ProviderAnswer {
  readonly providerId: ProviderId;
  readonly isActive: boolean;
  readonly snapshot: ProviderSnapshot;
}
