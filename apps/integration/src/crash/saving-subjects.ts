import { inPlaceSubject } from "./in-place-subject.ts";
import { providerStoreSubject } from "./provider-store-subject.ts";
import type { SavingSubject } from "./saving-subject.ts";
import { serviceSubject } from "./service-subject.ts";
import { snapshotStoreSubject } from "./snapshot-store-subject.ts";

/** All components that must pass the tests with faults. */
export const SAVING_SUBJECTS: readonly SavingSubject[] = [
  providerStoreSubject,
  snapshotStoreSubject,
  serviceSubject,
];

export function savingSubject(name: string | undefined): SavingSubject {
  const subject = [...SAVING_SUBJECTS, inPlaceSubject].find((each) => each.name === name);
  if (subject === undefined) throw new Error(`no subject has the name ${name}`);
  return subject;
}
