export { FileDiscoveryStore, type FileDiscoveryStoreOptions } from "./file-discovery-store.ts";
export { FileGenerationStore, type FileGenerationStoreOptions } from "./file-generation-store.ts";
export { FileProviderStore, type FileProviderStoreOptions } from "./file-provider-store.ts";
export { FileSnapshotStore, type FileSnapshotStoreOptions } from "./file-snapshot-store.ts";
export { useFolder, type FolderUse } from "./folder-use.ts";
