/**
 * Calls other people's code, which cannot hurt the caller: what it throws, or its promise rejects with, goes to `onFailure`
 * (which must not throw) or nowhere.
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
