import { providerStoreSubject } from "./provider-store-subject.ts";
import type { SavingSubject } from "./saving-subject.ts";
import { serviceSubject } from "./service-subject.ts";

/** All that is put under faults. */
export const SAVING_SUBJECTS: readonly SavingSubject[] = [providerStoreSubject, serviceSubject];

export function savingSubject(name: string | undefined): SavingSubject {
  const subject = SAVING_SUBJECTS.find((each) => each.name === name);
  if (subject === undefined) throw new Error(`there is no subject ${name}`);
  return subject;
}
