/**
 * Identifies one run of a service. The epoch of a later run sorts after that of an earlier one: always with a
 * `GenerationStore`, otherwise only if the wall clock is not set back between them.
 */
export type Epoch = string;
