/** Bytes that are not valid edge-batch v1. */
export class WireError extends Error {
  name = "WireError";
}

/** A message of another version: keep the raw bytes, do not acknowledge. */
export class UnknownVersion extends WireError {
  name = "UnknownVersion";
}

export const MAX_UINT = Number.MAX_SAFE_INTEGER; // uint53
export const MAX_VALUE = 2 ** 50 - 1;
export const MAX_WORK = 65536;

export function demand(condition, what) {
  if (!condition) throw new WireError(what);
}
