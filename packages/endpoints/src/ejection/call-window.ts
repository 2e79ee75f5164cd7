const BUCKETS = 5;

/** Counts calls over a sliding window, in steps of a fifth of it. */
export class CallWindow {
  readonly #bucketMs: number;
  readonly #calls = new Float64Array(BUCKETS);
  readonly #failures = new Float64Array(BUCKETS);
  /** Sums of the latencies of successful calls that reported one, in milliseconds. */
  readonly #latencies = new Float64Array(BUCKETS);
  readonly #timed = new Float64Array(BUCKETS);
  #bucket = -1;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  /** `now` is in monotonic milliseconds. */
  add(now: number, isFailure: boolean, latencyMs: number | undefined): void {
    const i = this.#advance(now);
    this.#calls[i]! += 1;
    if (isFailure) this.#failures[i]! += 1;
    else if (latencyMs !== undefined) {
      this.#latencies[i]! += latencyMs;
      this.#timed[i]! += 1;
    }
  }

  /** The number of calls, of failed ones, and the mean latency of those that succeeded; `NaN` without any. */
  read(now: number): CallCounts {
    this.#advance(now);
    const timed = sum(this.#timed);
    return {
      calls: sum(this.#calls),
      failures: sum(this.#failures),
      timed,
      meanMs: sum(this.#latencies) / timed,
    };
  }

  clear(): void {
    for (const counts of [this.#calls, this.#failures, this.#latencies, this.#timed]) counts.fill(0);
  }

  /** Empties the buckets that have passed, and returns the index of the current one. */
  #advance(now: number): number {
    const bucket = Math.floor(now / this.#bucketMs);
    const passed = Math.min(bucket - this.#bucket, BUCKETS);
    for (let i = 0; i < passed; i++) {
      const at = (bucket - i) % BUCKETS;
      this.#calls[at] = this.#failures[at] = this.#latencies[at] = this.#timed[at] = 0;
    }
    this.#bucket = Math.max(bucket, this.#bucket);
    return this.#bucket % BUCKETS;
  }
}

export interface CallCounts {
  readonly calls: number;
  readonly failures: number;
  /** Successful calls with a known latency. */
  readonly timed: number;
  readonly meanMs: number;
}

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
