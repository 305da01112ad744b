// Checks of single fields; each returns the value or throws WireError.
import { Float } from "./cbor.mjs";
import { MAX_UINT, demand } from "./errors.mjs";

export function need(map, key, where) {
  demand(map.has(key), `${where} key ${key}: it is missing`);
  return map.get(key);
}

export function uint(value, where, top = MAX_UINT, least = 0) {
  demand(Number.isSafeInteger(value) && value >= least && value <= top, `${where}: not an integer from ${least} to ${top}`);
  return value;
}

export function sint(value, where, top = MAX_UINT) {
  return uint(value, where, top, -top);
}

export function hex(value, where, least, most) {
  demand(value instanceof Uint8Array && value.length >= least && value.length <= most, `${where}: not a byte string of ${least} to ${most} bytes`);
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function text(value, where) {
  demand(typeof value === "string", `${where}: not text`);
  return value;
}

export function list(value, where, least = 0, most = MAX_UINT) {
  demand(Array.isArray(value) && value.length >= least && value.length <= most, `${where}: not an array of ${least} to ${most} elements`);
  return value;
}

export function table(value, where) {
  demand(value instanceof Map, `${where}: not a map`);
  return value;
}

export function quality(value, where) {
  demand(uint(value, where, 255) !== 14 && value !== 15, `${where}: 14 and 15 are never assigned`);
  return value;
}

export function notDefault(value, where) {
  demand(value !== 0, `${where}: 0 is the default and is left out`);
  return value;
}

/** Any CBOR value as a plain JavaScript value. */
export function plain(value) {
  if (value instanceof Float) return value.value;
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [String(key), plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}
