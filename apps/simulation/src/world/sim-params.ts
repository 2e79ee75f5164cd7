/** Parameters of the kind "simulated". */
export interface SimParams {
  readonly variant: number;
  readonly canWatch: boolean;
}
