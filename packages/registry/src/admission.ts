import {
  isProvisioningError,
  ProvisioningError,
  throwIfAborted,
  toProvisioningError,
  type Clock,
  type ProviderId,
} from "@holdfast/core";
import { proveConnectivity } from "./connectivity.ts";
import { FailureGuard, toSuppressedError } from "./failure-guard.ts";
import type { InstanceDisposal } from "./instance-disposal.ts";
import type { ProviderFactory } from "./provider-factory.ts";
import { subjectOf, toValid, type DescriptorCheck, type ValidDescriptor } from "./provider-validator.ts";
import type { RegisteredProvider } from "./registered-provider.ts";
import type { RegistryWarning } from "./registry-events.ts";

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly factory: ProviderFactory;
  readonly probe: "require" | "warn";
  readonly probeTimeoutMs: number;
  readonly suppressAfter: number;
  readonly suppressMs: number;
  /** Called immediately when a suppression starts. */
  readonly onSuppressed: (warning: RegistryWarning) => void;
  readonly disposal: InstanceDisposal;
}

export interface Admitted {
  readonly providers: readonly RegisteredProvider[];
  /** To be emitted once the providers are in force. */
  readonly warnings: readonly RegistryWarning[];
}

interface Failure {
  readonly providerId: ProviderId;
  readonly error: ProvisioningError;
}

interface Success {
  readonly registered: RegisteredProvider;
  readonly warning?: RegistryWarning | undefined;
}

/**
 * Decides whether submitted providers may come into force, all of them or none, and counts consecutive failures of each
 * id.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #guard: FailureGuard;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#guard = new FailureGuard(options);
  }

  /** Throws the validation error or the probe's error unchanged. */
  async admit(check: DescriptorCheck, signal: AbortSignal): Promise<Admitted> {
    const { admitted, failures } = await this.#admit([check], subjectOf(check), signal);
    if (failures[0] !== undefined) throw failures[0].error;
    return admitted;
  }

  /**
   * Throws one error that names every problem (`details.problems`), or every provider that failed (`details.failures`).
   */
  async admitAll(checks: readonly DescriptorCheck[], signal: AbortSignal): Promise<Admitted> {
    const { admitted, failures } = await this.#admit(checks, "the set of providers", signal);
    if (failures.length > 0) throw toFailuresError(failures);
    return admitted;
  }

  async #admit(
    checks: readonly DescriptorCheck[],
    subject: string,
    signal: AbortSignal,
  ): Promise<{ readonly admitted: Admitted; readonly failures: readonly Failure[] }> {
    this.#refuseSuppressed(checks);
    this.#countInvalid(checks);
    const trials = await Promise.all(toValid(checks, subject).map((valid) => this.#try(valid, signal)));
    const failures = trials.filter((trial) => "error" in trial);
    const successes = trials.filter((trial) => "registered" in trial);
    const providers = successes.map(({ registered }) => registered);
    if (failures.length > 0 || signal.aborted) {
      this.#options.disposal.startForRest(providers, []);
      throwIfAborted(signal);
      for (const { providerId, error } of failures) {
        const check = checks.find(({ id }) => id === providerId);
        this.#countFailure(providerId, toFingerprint(check), error);
      }
    } else {
      for (const { descriptor } of providers) this.#guard.succeed(descriptor.id);
    }
    return { admitted: { providers, warnings: successes.flatMap(({ warning }) => warning ?? []) }, failures };
  }

  #refuseSuppressed(checks: readonly DescriptorCheck[]): void {
    const suppressed = new Map(
      checks.flatMap((check) => {
        const { id } = check;
        const found = id === undefined ? undefined : this.#guard.suppressionOf(id, toFingerprint(check));
        return found === undefined ? [] : [[found.providerId, found] as const];
      }),
    );
    const [first, ...others] = suppressed.values();
    if (first !== undefined) throw toSuppressedError([first, ...others]);
  }

  /** A duplicate id is not counted as a failure of the provider that has the id. */
  #countInvalid(checks: readonly DescriptorCheck[]): void {
    const failed = new Map(
      checks.flatMap((check) => {
        const { id, problems } = check;
        const problem = problems.find(({ code }) => code !== "VALIDATION_DUPLICATE_ID");
        return id === undefined || problem === undefined ? [] : [[id, { check, problem }] as const];
      }),
    );
    for (const [id, { check, problem }] of failed) this.#countFailure(id, toFingerprint(check), problem);
  }

  #countFailure(providerId: ProviderId, definition: string, { code }: Pick<ProvisioningError, "code">): void {
    const started = this.#guard.fail(providerId, definition);
    if (started === undefined) return;
    const { failures, retryAfterMs } = started;
    const times = `${failures} times in a row, last with ${code}`;
    this.#options.onSuppressed({
      code: "VALIDATION_SUPPRESSED",
      message: `"${providerId}" failed ${times}; attempts are refused for ${retryAfterMs} ms`,
      providerId,
    });
  }

  /** Never rejects, so that every provider that failed is named. */
  async #try(valid: ValidDescriptor, signal: AbortSignal): Promise<Failure | Success> {
    const { id } = valid.descriptor;
    let registered: RegisteredProvider | undefined;
    try {
      registered = this.#options.factory.create(valid);
      return { registered, warning: await this.#prove(registered, signal) };
    } catch (error) {
      if (registered !== undefined) this.#options.disposal.startForRest([registered], []);
      return {
        providerId: id,
        error: toProvisioningError(error, "LIFECYCLE_INTERNAL", `an unexpected error occurred for "${id}"`),
      };
    }
  }

  async #prove(
    { descriptor, provider }: RegisteredProvider,
    signal: AbortSignal,
  ): Promise<RegistryWarning | undefined> {
    const { clock, probe, probeTimeoutMs } = this.#options;
    const providerId = descriptor.id;
    if (provider === undefined) {
      const { code, message } = descriptor.disabled!;
      return { code, message: `"${providerId}" is disabled: ${message}`, providerId };
    }
    try {
      await proveConnectivity(provider, { clock, timeoutMs: probeTimeoutMs, signal });
      return undefined;
    } catch (error) {
      if (probe === "require" || !isProvisioningError(error)) throw error;
      const message = `"${providerId}" is accepted without a proven connection: ${error.message}`;
      return { code: error.code, message, providerId, cause: error };
    }
  }
}

/**
 * Returns the same text for the same definition: its descriptor, or its problems if it is invalid, because nothing else
 * of an invalid definition is kept.
 */
function toFingerprint(check: DescriptorCheck | undefined): string {
  return JSON.stringify(check?.valid?.descriptor ?? check?.problems ?? []);
}

/** The code is the code of the first failure. */
function toFailuresError(failures: readonly Failure[]): ProvisioningError {
  const named = failures.map(({ providerId, error }) => `"${providerId}": ${error.message}`);
  return new ProvisioningError(
    failures[0]!.error.code,
    `${failures.length} providers of the set failed: ${named.join("; ")}`,
    {
      retryable: failures.every(({ error }) => error.retryable),
      details: {
        failures: failures.map(({ providerId, error: { code, message, retryable } }) => ({
          providerId,
          code,
          message,
          retryable,
        })),
      },
      cause: new AggregateError(failures.map(({ error }) => error)),
    },
  );
}
