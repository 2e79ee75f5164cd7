import type * as z from "zod";
import type { Registrar, RegistrarContext } from "../contracts/registrar/registrar.ts";
import type { Registration, RegistrationCallOptions } from "../contracts/registrar/registration.ts";
import { ProvisioningError, toProvisioningError } from "../errors/provisioning-error.ts";
import type { ClusterNode } from "../model/cluster-node.ts";
import { throwIfAborted, whenAborted } from "../time/abort.ts";
import { untilAborted } from "../time/until-aborted.ts";
import { parseParams } from "./parse-params.ts";

/** The environment of one registration. */
export interface RegistrarEnvironment<P> extends RegistrarContext {
  readonly params: P;
  /** The member to announce, already checked and normalised. */
  readonly self: ClusterNode;
}

/**
 * One opened registration, implemented by the author of a registrar. `Registration` documents what each function must
 * do. The `signal` of a call aborts with that of the caller, and when the registration is disposed of.
 */
export interface OpenRegistration extends Omit<Registration, typeof Symbol.asyncDispose> {
  /** Releases connections, files and timers. Called once, after the `signal` of every call has aborted. */
  close?(): Promise<void> | void;
}

export interface RegistrarDefinition<P, Input> {
  /** The kind of backend. */
  readonly kind: string;
  /** Checks the parameters and fills in the defaults. Secrets are `secretReferenceSchema`, never strings. */
  readonly params: z.ZodType<P, Input>;
  /** Called once for each registration. Does no I/O. */
  open(environment: RegistrarEnvironment<P>): OpenRegistration;
}

/**
 * Creates the factory of a kind of registrar from the parts that are specific to it. The factory throws
 * `VALIDATION_MALFORMED` for malformed parameters.
 */
export function defineRegistrar<P, Input>(
  definition: RegistrarDefinition<P, Input>,
): (params: Input) => Registrar {
  const { kind } = definition;
  return (input) => {
    const params = parseParams(definition.params, input, `the parameters of the ${kind} registrar`);
    return {
      kind,
      open: (self, context) => new DefinedRegistration(kind, definition.open({ ...context, params, self })),
    };
  };
}

/** The part of a registration that is the same for every kind: signals, errors and disposal. */
class DefinedRegistration implements Registration {
  readonly beatMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly #kind: string;
  readonly #opened: OpenRegistration;
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(kind: string, opened: OpenRegistration) {
    this.#kind = kind;
    this.#opened = opened;
    this.beatMs = opened.beatMs;
    this.ttlMs = opened.ttlMs;
  }

  register(options: RegistrationCallOptions): Promise<void> {
    return this.#call("register", options);
  }

  beat(options: RegistrationCallOptions): Promise<void> {
    return this.#call("beat", options);
  }

  drain(options: RegistrationCallOptions): Promise<void> {
    return this.#call("drain", options);
  }

  leave(options: RegistrationCallOptions): Promise<void> {
    return this.#call("leave", options);
  }

  audit(): ReturnType<NonNullable<Registration["audit"]>> {
    return this.#opened.audit?.() ?? [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #call(
    name: "register" | "beat" | "drain" | "leave",
    { signal }: RegistrationCallOptions,
  ): Promise<void> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    // Not `AbortSignal.any`: a registration lives for months, and each call would leave an entry at its own signal.
    const either = new AbortController();
    const caller = whenAborted(signal, () => either.abort(signal.reason));
    const disposal = whenAborted(this.#stop.signal, () => either.abort(this.#stop.signal.reason));
    try {
      await untilAborted(this.#opened[name]({ signal: either.signal }), either.signal);
    } catch (error) {
      throwIfAborted(either.signal);
      throw toProvisioningError(
        error,
        "LIFECYCLE_INTERNAL",
        `"${name}" of the ${this.#kind} registrar failed`,
      );
    } finally {
      caller[Symbol.dispose]();
      disposal[Symbol.dispose]();
    }
  }

  async #close(): Promise<void> {
    const message = `the registration of the ${this.#kind} registrar was disposed of`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
    await this.#opened.close?.();
  }
}
