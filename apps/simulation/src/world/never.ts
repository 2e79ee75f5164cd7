/** A promise that never settles; a new one each time, so that nobody's wait is kept in memory. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
