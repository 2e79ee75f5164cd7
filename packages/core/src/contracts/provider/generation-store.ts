export interface NextGenerationOptions {
  /** The smallest number to resolve with. An integer; the service passes the wall clock in milliseconds. */
  readonly atLeast: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Numbers the runs of a service, so that the epochs of later runs sort after those of earlier runs even if the wall
 * clock was set back between them.
 */
export interface GenerationStore {
  /**
   * Resolves with an integer greater than every number that it resolved with before, also in other processes and before
   * a crash. The number is stored durably before the call resolves; a call that rejects may use up a number. Throws
   * `STORE_CORRUPTED` (a damaged store is not changed), `STORE_IO` or `STORE_CONFLICT`.
   */
  next(options: NextGenerationOptions): Promise<number>;
}
