/**
 * True when the first version precedes the second. Versions in the storage of an API server are revisions of etcd, which are
 * increasing numbers. Returns `undefined` for versions that are not numbers, because they cannot be compared.
 */
export function isOlderVersion(version: string, than: string): boolean | undefined {
  if (!isNumber(version) || !isNumber(than)) return undefined;
  return BigInt(version) < BigInt(than);
}

function isNumber(version: string): boolean {
  return /^\d{1,40}$/.test(version);
}
