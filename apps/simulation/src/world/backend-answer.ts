import type { MemberSet } from "@holdfast/core";

/** The response of a backend. */
export interface BackendAnswer {
  /** The incarnation of the backend, which clients cannot know. */
  readonly incarnation: number;
  /** The backend's version of the content. Starts again with every incarnation. */
  readonly index: number;
  readonly members: MemberSet;
  readonly skipped: number;
}

/** The revision of a snapshot of this response. */
export function revisionOf({ incarnation, index }: Pick<BackendAnswer, "incarnation" | "index">): string {
  return `${incarnation}.${index}`;
}

/** Compares two revisions of one backend; the later one is greater. */
export function compareRevisions(a: string, b: string): number {
  const [aIncarnation = 0, aIndex = 0] = a.split(".").map(Number);
  const [bIncarnation = 0, bIndex = 0] = b.split(".").map(Number);
  return aIncarnation - bIncarnation || aIndex - bIndex;
}
