/**
 * The budget of the HTTP server. A client that only reads may cost this much and no more. RELIABILITY.md has the sums;
 * what depends on the deployment is a setting instead (`http.maxConnections`, `http.maxEventClients`,
 * `http.maxReaderMemoryMb`).
 */

/** A client that does not take the bytes it was sent within this time is disconnected, in milliseconds. */
export const WRITE_DEADLINE_MS = 10_000;

/** A socket without any progress for this long is closed; longer than the pause between two comments on `/events`. */
export const SOCKET_TIMEOUT_MS = 30_000;

/** The header of a request must be complete within this time of its first byte or of the connection, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 5_000;

/** The body too. No endpoint reads a body, so this only bounds how long a client can trickle one. */
export const REQUEST_TIMEOUT_MS = 8_000;

/** How often Node looks for connections beyond the two limits above, in milliseconds. */
export const CONNECTIONS_CHECK_MS = 1_000;

/** Longest request line and header, in bytes. */
export const MAX_HEADER_BYTES = 16_384;

/**
 * How many pipelined requests may wait for the one before them on their socket. Hardly any client pipelines at all, and
 * each waiting request can hold a full header.
 */
export const MAX_WAITING_REQUESTS = 8;

/** How many responses that take more than one write may be in progress at once; the next client gets 503. */
export const MAX_LARGE_RESPONSES = 100;

/** How many bytes all responses may write in one turn of the event loop: a tenth of a millisecond of work or so. */
export const BYTES_PER_TURN = 262_144;

/** After this long in progress, a large response must give its place to a new one when all are taken. */
export const LARGE_RESPONSE_FAIR_MS = 5_000;

/** What a client that got 503 is asked to wait, in seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** A scrape within this time of the last one gets the same text, in milliseconds: collecting costs processor time. */
export const METRICS_REUSE_MS = 250;

/** Connections that clients of `/events` cannot take: for everyone who asks once, such as a health check. */
export const CONNECTIONS_BESIDES_EVENTS = 200;

/** Descriptors of the process itself: streams, event loop, modules, stores, watched files. Measured: 20 to 25. */
export const OWN_DESCRIPTORS = 32;
