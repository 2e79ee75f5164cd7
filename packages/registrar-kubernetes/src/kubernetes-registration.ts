import { isProvisioningError, ProvisioningError, type Reason } from "@holdfast/core";
import { isThisMachine, type OpenRegistration, type RegistrarEnvironment } from "@holdfast/core/adapter";
import type { KubernetesRegistrarSettings } from "./kubernetes-registrar-params.ts";
import { findPodAddress, type PodAddress } from "./pod-address.ts";
import { PodClient } from "./pod-client.ts";
import type { PodEnvironment } from "./pod-environment.ts";
import { hasMarks } from "./pod-marks.ts";
import type { MutableReadiness } from "./readiness.ts";

interface CallOptions {
  readonly signal: AbortSignal;
}

/**
 * The announcement of this pod. The kubelet asks the readiness, so it notices when this process hangs or ends. The labels
 * and the condition of the pod, if there are any, stay as they are then.
 */
export class KubernetesRegistration implements OpenRegistration {
  readonly beatMs: number | undefined;
  readonly #settings: KubernetesRegistrarSettings;
  readonly #readiness: MutableReadiness;
  readonly #address: PodAddress | undefined;
  readonly #client: PodClient | undefined;
  #isRegistered = false;
  #isDraining = false;
  /** Whether a call may have set labels or the condition. */
  #mayHaveMarks = false;

  constructor(
    { params, clock }: RegistrarEnvironment<KubernetesRegistrarSettings>,
    readiness: MutableReadiness,
    environment: PodEnvironment,
  ) {
    this.#settings = params;
    this.#readiness = readiness;
    if (params.labels === undefined && params.readinessGate === undefined) return;
    this.#address = findPodAddress(params, environment);
    this.#client = new PodClient({ address: this.#address, environment, clock });
    this.beatMs = params.checkMs;
  }

  async register({ signal }: CallOptions): Promise<void> {
    this.#mayHaveMarks = true;
    await this.#mark(true, signal);
    this.#readiness.text = "ready";
    this.#isRegistered = true;
    this.#isDraining = false;
  }

  /** Checks that the pod still has the labels and the condition. */
  async beat({ signal }: CallOptions): Promise<void> {
    this.#assertRegistered();
    const pod = await this.#client?.read(signal).catch(lostIfMissing);
    if (pod === undefined || this.#isDraining || hasMarks(pod, this.#settings)) return;
    throw new ProvisioningError(
      "LIFECYCLE_REGISTRATION_LOST",
      `the pod "${this.#address?.podName}" no longer has the labels or the condition of this process`,
    );
  }

  async drain({ signal }: CallOptions): Promise<void> {
    this.#assertRegistered();
    // The kubelet is told even if the API server is not reachable.
    this.#readiness.text = "draining";
    this.#isDraining = true;
    await this.#mark(false, signal).catch(lostIfMissing);
  }

  async leave({ signal }: CallOptions): Promise<void> {
    this.#readiness.text = "left";
    if (this.#mayHaveMarks) await this.#mark(false, signal).catch(ignoreMissing);
    this.#isRegistered = false;
    this.#mayHaveMarks = false;
  }

  audit(): readonly Reason[] {
    if (this.#address === undefined) return [];
    const { protocol, hostname, origin } = new URL(this.#address.server);
    if (protocol === "https:" || isThisMachine(hostname.replace(/^\[|\]$/g, ""))) return [];
    return [
      {
        code: "CONNECTIVITY_INSECURE",
        message: `the token is sent to ${origin} without TLS, so others on the network can read it; use https`,
        details: { server: origin, parameter: "server" },
      },
    ];
  }

  close(): void {
    this.#client?.[Symbol.dispose]();
  }

  #assertRegistered(): void {
    if (this.#isRegistered) return;
    throw new ProvisioningError("LIFECYCLE_REGISTRATION_LOST", "this process is not registered");
  }

  async #mark(isAnnounced: boolean, signal: AbortSignal): Promise<void> {
    const { labels, readinessGate } = this.#settings;
    if (labels !== undefined) {
      const removed = Object.fromEntries(Object.keys(labels).map((name) => [name, null]));
      await this.#client?.patchLabels(isAnnounced ? labels : removed, signal);
    }
    if (readinessGate !== undefined) await this.#client?.patchCondition(readinessGate, isAnnounced, signal);
  }
}

/** A pod that was deleted is not listed any more. */
function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}

function lostIfMissing(error: unknown): never {
  if (!isMissing(error)) throw error;
  throw new ProvisioningError("LIFECYCLE_REGISTRATION_LOST", "the pod of this process was deleted", {
    cause: error,
    details: error.details,
  });
}

function isMissing(error: unknown): error is ProvisioningError {
  return isProvisioningError(error) && error.details["status"] === 404;
}
