import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";

/** The last snapshot of one of several providers. */
export interface ProviderView {
  readonly providerId: ProviderId;
  readonly isActive: boolean;
  readonly snapshot: ProviderSnapshot;
}
