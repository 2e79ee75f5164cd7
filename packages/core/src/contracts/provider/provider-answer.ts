import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";

/** What one of several providers said last. */
export interface ProviderAnswer {
  readonly providerId: ProviderId;
  readonly isActive: boolean;
  readonly snapshot: ProviderSnapshot;
}
