import type { MemberSet } from "@holdfast/core";

/** What a backend says when asked. */
export interface BackendAnswer {
  /** Which life of the backend's it is of; its clients can't know. */
  readonly incarnation: number;
  /** The backend's own version. Starts over with every incarnation. */
  readonly index: number;
  readonly members: MemberSet;
  readonly skipped: number;
}

/** How it is named on a snapshot. */
export function revisionOf({ incarnation, index }: Pick<BackendAnswer, "incarnation" | "index">): string {
  return `${incarnation}.${index}`;
}

/** The later of two revisions of one backend is larger. */
export function compareRevisions(a: string, b: string): number {
  const [aIncarnation = 0, aIndex = 0] = a.split(".").map(Number);
  const [bIncarnation = 0, bIndex = 0] = b.split(".").map(Number);
  return aIncarnation - bIncarnation || aIndex - bIndex;
}
