/** Returns a promise that never settles. It is a new one each time, so that no waiting code is kept in memory. */
export function neverSettles(): Promise<never> {
  return new Promise(() => {});
}
