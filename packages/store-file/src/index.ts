export { FileProviderStore, type FileProviderStoreOptions } from "./file-provider-store.ts";
