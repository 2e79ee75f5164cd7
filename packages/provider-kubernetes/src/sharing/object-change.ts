/** A change of one watched object. */
export interface ObjectChange {
  readonly key: string;
  /** The group of the object, such as its Service. */
  readonly group: string;
  /** The fields of the object that are read, as JSON. Absent when the group no longer has the object. */
  readonly text?: string | undefined;
  /** The object, parsed; absent when it must be parsed from `text`. */
  readonly object?: unknown;
}
