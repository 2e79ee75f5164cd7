/** A bug planted on purpose: a piece of the source as it is, and as the bug has it. */
export interface Mutant {
  /** As the command line names it. */
  readonly name: string;
  /** What is wrong, in words. */
  readonly says: string;
  /** The file, from the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}
