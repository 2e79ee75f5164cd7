import { checkOptions } from "./check-options.ts";
import { EndpointTracker } from "./endpoint-tracker.ts";
import type { EndpointsOptions } from "./endpoints-options.ts";
import type { Endpoints } from "./endpoints.ts";

/**
 * Follows a topology and decides at every moment which endpoints new calls may use, and why. Close the result, or declare
 * it with `using`. Throws `VALIDATION_MALFORMED` for a number that is out of its range.
 */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  checkOptions(options);
  return new EndpointTracker(options);
}
