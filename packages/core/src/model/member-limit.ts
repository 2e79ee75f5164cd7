/**
 * Maximum number of members of a provider, and of entries in a response. A larger response is an error or an attack.
 */
export const MAX_MEMBERS = 1_000_000;
