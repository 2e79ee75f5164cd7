// For users of a topology file.
export { file } from "./file.ts";
export { folder } from "./folder/folder.ts";
export type { FolderParams, FolderSettings } from "./folder/folder-params.ts";
export type { FileFormat, FileParams, FileSettings } from "./file-params.ts";
export type { TextPosition } from "./invalid-topology-error.ts";
export { topologyFileSchema, type TopologyFile } from "./topology-file.ts";
