/** How far a list and watch has come. */
export interface WatchPosition {
  /** The server and namespace of the objects. A version is valid only there. */
  readonly place: string | undefined;
  /** The version of the backend; opaque. */
  readonly version: string;
  /** When the server last confirmed this content, in milliseconds of the wall clock. */
  readonly observedAt: number;
  /** The same in milliseconds of the monotonic clock. */
  readonly confirmedAt: number;
}

/** Before the first list. */
export const NO_POSITION: WatchPosition = Object.freeze({
  place: undefined,
  version: "",
  observedAt: 0,
  confirmedAt: Number.NEGATIVE_INFINITY,
});
