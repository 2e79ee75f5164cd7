const LOOPBACK = /^(?:localhost|(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

export function isLoopback(host: string): boolean {
  return host === "::1" || LOOPBACK.test(host);
}

/**
 * Whether a request that reached a loopback address was meant for it. A page on the web can make its own name resolve
 * to 127.0.0.1 ("DNS rebinding") and would then be let in by the browser, but it cannot choose the `Host` header.
 */
export function isHostAllowed(hostHeader: string | undefined): boolean {
  if (hostHeader === undefined) return false;
  return LOOPBACK.test(hostHeader.replace(/:\d+$/, ""));
}
