/**
 * Calls foreign code so that its errors do not affect the caller. An error that it throws, or that its promise rejects
 * with, is passed to `onFailure` (which must not throw), or dropped.
 */
export function callIsolated(call: () => unknown, onFailure: (error: unknown) => void = ignore): void {
  try {
    const result = call();
    if (isPromiseLike(result)) result.then(undefined, onFailure);
  } catch (error) {
    onFailure(error);
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}

function ignore(): void {}
