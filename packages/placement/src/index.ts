export { Assigner, MAX_COPIES, MAX_PARTITIONS, partitionOf, type AssignerOptions } from "./assigner.ts";
export { Assignment, type Move } from "./assignment.ts";
