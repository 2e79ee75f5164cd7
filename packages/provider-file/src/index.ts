// For users of a topology file.
export { createFileAdapter, type FileAdapterOptions } from "./file-adapter.ts";
export type { FileProviderParams } from "./file-params.ts";
export { topologyFileSchema, type TopologyFile } from "./topology-file.ts";
