/** Parameters `P` once the schema has filled in the defaults of the fields `K`. */
export type WithDefaults<P, K extends keyof P> = Omit<P, K> & {
  readonly [F in K]-?: Exclude<P[F], undefined>;
};
