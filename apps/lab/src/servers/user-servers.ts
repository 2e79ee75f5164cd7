const { CONSUL_HTTP_ADDR, KUBECONFIG } = process.env;

/** Whether tests that only read and write use a Consul that the user named. */
export function hasUserConsul(): boolean {
  return isSet(CONSUL_HTTP_ADDR);
}

/** Whether tests that only read and write use a Kubernetes cluster that the user named. */
export function hasUserKubernetes(): boolean {
  return isSet(KUBECONFIG);
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
