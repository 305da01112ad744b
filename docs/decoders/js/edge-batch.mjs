// edge-batch v1 for Node >= 18 and browsers, without dependencies. The format: ../../wire-format.md
import { readBatch } from "./batch.mjs";
import { load } from "./cbor.mjs";
import { UnknownVersion, demand } from "./errors.mjs";
import { readAbout, readAck, readBirth, readState } from "./others.mjs";
import { uint } from "./fields.mjs";

export { UnknownVersion, WireError } from "./errors.mjs";
export { expand } from "./expand.mjs";
export { unscaled } from "./others.mjs";

const READERS = new Map([
  [8, readBatch],
  [20, readBirth],
  [21, readAbout],
  [30, readAck],
  [40, readState],
]);

/**
 * Return the message in `data` (Uint8Array): an object whose `type` is batch, birth, about, ack or state.
 * The groups of a batch need expand(batch, birth). Throws WireError, or UnknownVersion for another version.
 */
export function decode(data) {
  const [message, raw] = load(data);
  demand(message.has(0), "key 0 (version): it is missing");
  if (uint(message.get(0), "key 0 (version)") !== 1) throw new UnknownVersion("the message is of a version other than 1");
  const kinds = [...READERS.keys()].filter((key) => message.has(key));
  demand(kinds.length === 1, "exactly one of the keys 8, 20, 21, 30, 40 must be there");
  return READERS.get(kinds[0])(message, raw.get(kinds[0]));
}
