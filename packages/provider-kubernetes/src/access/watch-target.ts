/** A resource of the API whose objects can be listed and watched. */
export interface ApiResource {
  /** The path of the API group and version, without a slash at either end. */
  readonly group: string;
  /** The name in paths and permissions. */
  readonly plural: string;
  /** The kind of a list of such objects. */
  readonly listKind: string;
}

export const ENDPOINT_SLICES: ApiResource = {
  group: "apis/discovery.k8s.io/v1",
  plural: "endpointslices",
  listKind: "EndpointSliceList",
};

export const SERVICES: ApiResource = { group: "api/v1", plural: "services", listKind: "ServiceList" };

/** The namespaces of a list and watch. */
export interface WatchScope {
  /** Absent: that of the credentials' context, else "default". */
  readonly namespace?: string | undefined;
  /** When true, objects of all namespaces. */
  readonly allNamespaces: boolean;
}

/** What a list and watch contains, and how it is requested. */
export interface WatchTarget extends WatchScope {
  readonly resource: ApiResource;
  /** @defaultValue all objects */
  readonly labelSelector?: string | undefined;
  /** The number of objects in one page of a list. */
  readonly pageSize: number;
  /** The maximum duration of one watch request, in milliseconds. */
  readonly watchTimeoutMs: number;
  /** The maximum size of a page of a list and of a line of a watch, in bytes. */
  readonly maxBytes: number;
}
