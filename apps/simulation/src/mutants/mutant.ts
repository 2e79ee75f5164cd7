/** A deliberately planted bug: a piece of source code and its replacement. */
export interface Mutant {
  /** The name on the command line. */
  readonly name: string;
  /** Describes the bug. */
  readonly bug: string;
  /** The path of the file in the repository. */
  readonly file: string;
  /** Must occur in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}
