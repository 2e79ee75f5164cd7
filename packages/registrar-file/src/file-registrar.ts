import type { Registrar } from "@holdfast/core";
import { defineRegistrar } from "@holdfast/core/adapter";
import {
  fileRegistrarParamsSchema,
  type FileRegistrarParams,
  type FileRegistrarSettings,
} from "./file-registrar-params.ts";
import { FileRegistration } from "./file-registration.ts";

/**
 * Announces this process in a folder that processes of this machine share. Readers use the provider `folder` of
 * `@holdfast/provider-file`.
 */
export const fileRegistrar: (params: FileRegistrarParams) => Registrar = defineRegistrar<
  FileRegistrarSettings,
  FileRegistrarParams
>({
  kind: "file",
  params: fileRegistrarParamsSchema,
  open: (environment) => new FileRegistration(environment),
});
