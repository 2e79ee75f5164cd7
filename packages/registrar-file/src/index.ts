export { fileRegistrar } from "./file-registrar.ts";
export type { FileRegistrarParams } from "./file-registrar-params.ts";
