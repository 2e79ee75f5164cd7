/** Where a pod finds its API server and the credentials of its service account. */
export interface PodEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder with `token`, `ca.crt` and `namespace`. */
  readonly accountFolder: string;
}

export const podEnvironment: PodEnvironment = {
  env: process.env,
  accountFolder: "/var/run/secrets/kubernetes.io/serviceaccount",
};
