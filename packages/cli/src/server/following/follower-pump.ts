import type { LoopShare } from "../sending/loop-share.ts";
import type { Follower } from "./follower.ts";

/** Serves the followers that have something to send, in the order of their calls and a limited number in each turn of the event loop. */
export class FollowerPump {
  readonly #share: LoopShare;
  #queue: Follower[] = [];
  #isRunning = false;

  constructor(share: LoopShare) {
    this.#share = share;
  }

  wake(follower: Follower): void {
    if (follower.isQueued) return;
    follower.isQueued = true;
    this.#queue.push(follower);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** Starts in the next turn, so that events of one moment are sent together, and a listener of the log is not delayed. Never rejects. */
  async #run(): Promise<void> {
    await this.#share.nextTurn();
    while (this.#queue.length > 0) {
      const queue = this.#queue;
      this.#queue = [];
      for (const follower of queue) {
        while (!this.#share.isLeft) await this.#share.nextTurn();
        follower.isQueued = false;
        this.#share.spend(serve(follower));
      }
    }
    this.#isRunning = false;
  }
}

/** A follower whose next event cannot be made is disconnected, and does not affect the others. */
function serve(follower: Follower): number {
  try {
    return follower.serve();
  } catch {
    follower.destroy();
    return 0;
  }
}
