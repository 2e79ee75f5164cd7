import { isProviderId } from "@holdfast/core";
import { isFields, type Fields } from "./fields.ts";

/** What several topologies share: the kind of a backend, and parameters such as its address. */
export interface Backend {
  readonly kind: string;
  /** The schema of the kind checks them together with those of an entry. */
  readonly params: Fields;
}

export type Backends = ReadonlyMap<string, Backend>;

/** Returns the well-formed backends of the field `backends`. Others are left out; the schema reports them. */
export function readBackends(field: Fields): Backends {
  return new Map(
    Object.entries(field).flatMap(([name, backend]) => {
      if (!isProviderId(name) || !isFields(backend)) return [];
      const { kind, ...params } = backend;
      return typeof kind === "string" ? [[name, { kind, params }] as const] : [];
    }),
  );
}
