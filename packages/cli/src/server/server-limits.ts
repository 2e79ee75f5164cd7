/**
 * The limits of the HTTP server. They bound the resources that a client can use. RELIABILITY.md has the calculation.
 * Limits that depend on the deployment are settings instead (`http.maxConnections`, `http.maxEventClients`,
 * `http.maxReaderMemoryMb`).
 */

/** A client that does not accept the written bytes within this time is disconnected, in milliseconds. */
export const WRITE_DEADLINE_MS = 10_000;

/**
 * A socket without any progress for this long is closed, in milliseconds. Longer than the pause between two comments on
 * `/events`.
 */
export const SOCKET_TIMEOUT_MS = 30_000;

/** Time limit for the header of a request, from its first byte or from the start of the connection, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 5_000;

/**
 * Time limit for the whole request, in milliseconds. No endpoint reads a body, so this only limits how long a client
 * can send one slowly.
 */
export const REQUEST_TIMEOUT_MS = 8_000;

/** Interval at which Node checks the two limits above, in milliseconds. */
export const CONNECTIONS_CHECK_MS = 1_000;

/**
 * Number of connections that the system keeps until they are accepted. A client beyond it tries again after a second. Linux limits it to
 * `net.core.somaxconn`.
 */
export const BACKLOG = 4_096;

/** Longest request line and header, in bytes. */
export const MAX_HEADER_BYTES = 16_384;

/**
 * Maximum number of pipelined requests that wait for the one before them on their socket. Hardly any client pipelines,
 * and each waiting request can hold a full header.
 */
export const MAX_WAITING_REQUESTS = 8;

/** Maximum number of such requests of all sockets together. One more closes its connection. */
export const MAX_ALL_WAITING_REQUESTS = 2_000;

/** Maximum number of responses in progress that take more than one write; further clients get 503. */
export const MAX_LARGE_RESPONSES = 100;

/**
 * Maximum number of bytes that all responses write in one turn of the event loop: about a tenth of a millisecond of
 * work.
 */
export const BYTES_PER_TURN = 262_144;

/**
 * Maximum number of bytes that all event streams write in one turn of the event loop, where each write counts as 4 KiB more: one or two
 * milliseconds of work. They have a share of their own, so that thousands of followers do not delay other responses.
 */
export const STREAM_BYTES_PER_TURN = 1_048_576;

/** A client of `/events` may get a state that is up to this old, followed by the events since then, in milliseconds. */
export const STATE_REUSE_MS = 1_000;

/**
 * When all slots are taken, a large response that has been in progress for this long gives its slot to a new one, in
 * milliseconds.
 */
export const LARGE_RESPONSE_FAIR_MS = 5_000;

/** `Retry-After` of a 503 response, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/**
 * A scrape within this time after the last one gets the same text, because collecting uses processor time.
 * Milliseconds.
 */
export const METRICS_REUSE_MS = 250;

/** Connections that followers of `/events` cannot use. They are for single requests, such as health checks. */
export const CONNECTIONS_BESIDES_EVENTS = 200;

/** Descriptors of the process itself: streams, event loop, modules, stores, watched files. Measured: 20 to 25. */
export const OWN_DESCRIPTORS = 32;

/** Maximum number of topologies that the response of `/readyz` lists. */
export const MAX_LISTED_NOT_READY = 100;

/** Maximum number of topologies that all clients of streams of several topologies follow together; further clients get 503. */
export const MAX_SUBSCRIPTIONS = 100_000;
