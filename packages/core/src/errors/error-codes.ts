/** The category of a failure: the part of a code before the first underscore. */
export type ErrorCategory =
  | "validation"
  | "connectivity"
  | "stream"
  | "store"
  | "order"
  | "lifecycle"
  | "topology";

const TABLE = {
  VALIDATION_MISSING_FIELD: { retryable: false, meaning: "a required field is missing" },
  VALIDATION_MALFORMED: { retryable: false, meaning: "a value is malformed" },
  VALIDATION_DUPLICATE_ID: { retryable: false, meaning: "an id is already taken" },
  VALIDATION_UNKNOWN_KIND: { retryable: false, meaning: "no adapter is known for the kind" },
  VALIDATION_ADAPTER_UNAVAILABLE: { retryable: false, meaning: "an adapter could not be loaded" },
  VALIDATION_UNKNOWN_ID: { retryable: false, meaning: "no provider has the id" },
  VALIDATION_LITERAL_SECRET: {
    retryable: false,
    meaning: "a literal secret was given instead of a reference",
  },
  VALIDATION_MISSING_CAPABILITY: { retryable: false, meaning: "the provider lacks a needed capability" },
  VALIDATION_SUPPRESSED: {
    retryable: true,
    meaning: "validation failed too often; attempts are refused for a while",
  },
  CONNECTIVITY_REFUSED: { retryable: true, meaning: "the backend cannot be reached or does not exist" },
  CONNECTIVITY_TIMEOUT: { retryable: true, meaning: "the backend did not respond in time" },
  CONNECTIVITY_INSECURE: { retryable: false, meaning: "a setting weakens security" },
  CONNECTIVITY_UNAUTHORIZED: { retryable: false, meaning: "the backend refused the credentials" },
  CONNECTIVITY_UNKNOWN_TOKEN: { retryable: false, meaning: "the backend does not know the token" },
  CONNECTIVITY_TLS: { retryable: false, meaning: "no trusted TLS connection could be made" },
  CONNECTIVITY_SECRET_UNAVAILABLE: { retryable: false, meaning: "a referenced secret could not be read" },
  CONNECTIVITY_NO_LEADER: { retryable: true, meaning: "the backend has no leader" },
  CONNECTIVITY_UNAVAILABLE: { retryable: true, meaning: "the backend reports that it cannot serve now" },
  CONNECTIVITY_OVERLOADED: { retryable: true, meaning: "the backend asks for fewer requests" },
  STREAM_FAILED: { retryable: true, meaning: "a watch failed" },
  STREAM_ENDED: { retryable: true, meaning: "the backend ended a watch" },
  STREAM_SILENT: { retryable: true, meaning: "a watch yielded nothing within the health timeout" },
  STREAM_LATE: { retryable: true, meaning: "a snapshot arrived late" },
  STREAM_STALE: { retryable: true, meaning: "the backend does not guarantee that its content is current" },
  STREAM_INVALID_DATA: { retryable: false, meaning: "the backend's data could not be understood" },
  STREAM_INDEX_ROLLBACK: { retryable: true, meaning: "the backend's index went backwards" },
  STREAM_EXPIRED: { retryable: true, meaning: "the backend no longer has the version asked for" },
  STORE_CORRUPTED: { retryable: false, meaning: "a stored file is damaged" },
  STORE_IO: { retryable: true, meaning: "reading or writing a stored file failed" },
  STORE_CONFLICT: { retryable: true, meaning: "another process changed the stored file" },
  STORE_EXPIRED: {
    retryable: false,
    meaning: "the stored content is too old or has another source",
  },
  ORDER_STALE_SEQUENCE: { retryable: false, meaning: "a sequence number is not newer than the last one" },
  LIFECYCLE_SHUTTING_DOWN: { retryable: false, meaning: "the service is shutting down" },
  LIFECYCLE_STOPPED: { retryable: false, meaning: "it was stopped or disposed" },
  LIFECYCLE_RUNNING: { retryable: false, meaning: "it is already running" },
  LIFECYCLE_NOT_STARTED: { retryable: false, meaning: "it was not started" },
  LIFECYCLE_ABORTED: { retryable: false, meaning: "the caller's signal aborted" },
  LIFECYCLE_DRAIN_DEADLINE: { retryable: false, meaning: "the drain did not finish in time" },
  LIFECYCLE_CONSUMER_FAILED: { retryable: true, meaning: "a consumer's code threw" },
  LIFECYCLE_CONSUMER_TIMEOUT: { retryable: true, meaning: "a consumer's call did not return in time" },
  LIFECYCLE_CONSUMER_BEHIND: {
    retryable: true,
    meaning: "a consumer has not reached the newest state in time",
  },
  LIFECYCLE_NOTICE_PARKED: { retryable: false, meaning: "a notice could not be delivered to a consumer" },
  LIFECYCLE_REGISTRATION_LOST: {
    retryable: true,
    meaning: "the backend no longer lists this process",
  },
  LIFECYCLE_LISTEN_FAILED: { retryable: true, meaning: "a server could not listen on its address" },
  LIFECYCLE_INTERNAL: { retryable: false, meaning: "an unexpected failure, most likely a bug" },
  TOPOLOGY_NO_SNAPSHOT: { retryable: true, meaning: "no snapshot has arrived yet" },
  TOPOLOGY_EMPTY: { retryable: true, meaning: "the topology has no members" },
  TOPOLOGY_NOT_CURRENT: {
    retryable: true,
    meaning: "an action was based on a topology that is not known to be current",
  },
  TOPOLOGY_IDS_DIFFER: { retryable: false, meaning: "two providers use different ids for the same members" },
  TOPOLOGY_SHARED_ENDPOINT: { retryable: false, meaning: "two members have the same host and port" },
  TOPOLOGY_NO_ENDPOINT: { retryable: true, meaning: "no member may be used for calls now" },
  TOPOLOGY_REMOVAL_HELD: { retryable: true, meaning: "topologies are kept although no backend lists them" },
  TOPOLOGY_UNAVAILABLE: { retryable: true, meaning: "no provider can serve" },
  TOPOLOGY_UNKNOWN: { retryable: true, meaning: "no topology has the name" },
  TOPOLOGY_LOOP: { retryable: true, meaning: "daemons follow each other in a circle" },
} as const;

export type ErrorCode = keyof typeof TABLE;

/**
 * Every failure has one of these codes. They are stable: codes are added but never renamed. `retryable` means that the
 * same call may succeed later without any change.
 */
export const ERROR_TABLE: Readonly<
  Record<ErrorCode, { readonly retryable: boolean; readonly meaning: string }>
> = TABLE;

export function categoryOf(code: ErrorCode): ErrorCategory {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test holds every prefix to a category
  return code.slice(0, code.indexOf("_")).toLowerCase() as ErrorCategory;
}
