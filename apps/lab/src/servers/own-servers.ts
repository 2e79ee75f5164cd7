const { CONSUL_HTTP_ADDR, KUBECONFIG } = process.env;

/** Whether tests that only read and write go to a Consul of the user's. */
export function hasOwnConsul(): boolean {
  return isSet(CONSUL_HTTP_ADDR);
}

/** Whether tests that only read and write go to a Kubernetes of the user's. */
export function hasOwnKubernetes(): boolean {
  return isSet(KUBECONFIG);
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== "";
}
