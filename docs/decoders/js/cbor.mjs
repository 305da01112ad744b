// Strict reader of the deterministic CBOR that edge-batch v1 allows; maps become Map, floats Float.
import { UnknownVersion, WireError, demand } from "./errors.mjs";

const MAX_BYTES = 262144;
const MAX_DEPTH = 16;
const MAX_ITEMS = 98304; // integers in arrays not counted
const TEXT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A float as it travelled, so that 1.0 is never taken for the integer 1. */
export class Float {
  constructor(value) {
    this.value = value;
  }
}

/** Return [the map in `data`, the bytes of the value under each key]. */
export function load(data) {
  demand(data.length <= MAX_BYTES, `message of ${data.length} bytes: at most ${MAX_BYTES} are allowed`);
  refuseOtherVersion(data);
  demand(data.length && data[0] >> 5 === 5, "a message is a CBOR map; this is something else");
  const reader = new Reader(data);
  const raw = new Map();
  const message = reader.map(1, raw);
  demand(reader.pos === data.length, `${data.length - reader.pos} trailing bytes after the message`);
  return [message, raw];
}

// Of another version nothing is known but that its map begins with key 0 and its number.
function refuseOtherVersion(data) {
  let at = 1;
  if (data[0] === 0xb8) at = 2;
  else if (!(data[0] >= 0xa1 && data[0] <= 0xb7)) return;
  if (data[at] !== 0 || at + 1 >= data.length) return;
  const initial = data[at + 1];
  const other = initial < 0x18 ? initial !== 1 : initial === 0x18 ? data[at + 2] >= 24 : initial >= 0x20 && initial < 0x38;
  if (other) throw new UnknownVersion("the message is of a version other than 1");
}

class Reader {
  constructor(data) {
    this.data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.pos = 0;
    this.items = 0;
  }

  byte() {
    demand(this.pos < this.data.length, "the message ends in the middle of an item");
    return this.data[this.pos];
  }

  item(depth) {
    const initial = this.byte();
    const major = initial >> 5;
    this.items += 1;
    demand(this.items <= MAX_ITEMS, `more than ${MAX_ITEMS} items besides integers`);
    if (major < 2) return this.integer(major);
    if (major === 2) return this.take(this.head());
    if (major === 3) return this.text();
    if (major === 4) return this.array(depth + 1);
    if (major === 5) return this.map(depth + 1);
    demand(major !== 6, `a tag at byte ${this.pos}; tags are not allowed`);
    return this.simple(initial);
  }

  integer(major) {
    const n = this.head();
    if (major === 0) return n;
    return typeof n === "bigint" ? -1n - n : n === Number.MAX_SAFE_INTEGER ? -1n - BigInt(n) : -1 - n;
  }

  /** The argument of an initial byte, a BigInt beyond 2^53 - 1. */
  head() {
    const start = this.pos;
    const argument = this.byte() & 31;
    this.pos += 1;
    if (argument < 24) return argument;
    demand(argument < 28, `an indefinite or reserved length at byte ${start}`);
    const size = 1 << (argument - 24);
    demand(this.pos + size <= this.data.length, "the message ends in the middle of an item");
    let n;
    if (size === 1) n = this.view.getUint8(this.pos);
    else if (size === 2) n = this.view.getUint16(this.pos);
    else if (size === 4) n = this.view.getUint32(this.pos);
    else n = this.view.getBigUint64(this.pos);
    this.pos += size;
    const least = size === 1 ? 24 : 2 ** (4 * size);
    demand(n >= least, `a number or length at byte ${start} is not in its shortest form`);
    return n <= Number.MAX_SAFE_INTEGER ? Number(n) : n;
  }

  take(size) {
    demand(size <= this.data.length - this.pos, "the message ends in the middle of an item");
    this.pos += size;
    return this.data.slice(this.pos - size, this.pos);
  }

  text() {
    const start = this.pos;
    const taken = this.take(this.head());
    try {
      return TEXT.decode(taken);
    } catch {
      throw new WireError(`text at byte ${start} is not UTF-8`);
    }
  }

  simple(initial) {
    const start = this.pos;
    this.pos += 1;
    if (initial === 0xf4) return false;
    if (initial === 0xf5) return true;
    if (initial === 0xf6) return null;
    demand(initial >= 0xf9 && initial <= 0xfb, `simple value at byte ${start}`);
    const size = 2 << (initial - 0xf9);
    demand(this.pos + size <= this.data.length, "the message ends in the middle of an item");
    const value =
      size === 2 ? half(this.view.getUint16(this.pos)) : size === 4 ? this.view.getFloat32(this.pos) : this.view.getFloat64(this.pos);
    this.pos += size;
    demand(Number.isFinite(value), `NaN or infinity at byte ${start} is never sent`);
    const longer = (size === 8 && Math.fround(value) === value) || (size === 4 && fitsHalf(value));
    demand(!longer, `a float at byte ${start} is not in its shortest form`);
    return new Float(value);
  }

  enter(depth, width) {
    demand(depth <= MAX_DEPTH, `nesting deeper than ${MAX_DEPTH} at byte ${this.pos}`);
    const count = Number(this.head());
    demand(count * width <= this.data.length - this.pos, "an array or map claims more items than bytes follow");
    return count;
  }

  array(depth) {
    const items = [];
    for (let count = this.enter(depth, 1); count > 0; count--) {
      const major = this.byte() >> 5;
      items.push(major < 2 ? this.integer(major) : this.item(depth));
    }
    return items;
  }

  map(depth, raw = null) {
    const items = new Map();
    let last = new Uint8Array(0);
    for (let count = this.enter(depth, 2); count > 0; count--) {
      const start = this.pos;
      demand([0, 1, 3].includes(this.byte() >> 5), `a key at byte ${start} is neither an integer nor text`);
      const key = this.item(depth);
      const encoded = this.data.subarray(start, this.pos);
      demand(compare(encoded, last) > 0, `the key at byte ${start} repeats or sorts below the key before it`);
      last = encoded;
      const from = this.pos;
      items.set(key, this.item(depth));
      if (raw) raw.set(key, this.data.subarray(from, this.pos));
    }
    return items;
  }
}

function compare(a, b) {
  for (let at = 0; at < Math.min(a.length, b.length); at++) if (a[at] !== b[at]) return a[at] - b[at];
  return a.length - b.length;
}

function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 31 ? (fraction ? NaN : Infinity) : exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

function fitsHalf(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  const exponent = ((bits >>> 23) & 255) - 127;
  if (exponent < -14) return Number.isInteger(Math.abs(value) * 2 ** 24); // zero and subnormal halves
  return exponent <= 15 && (bits & 0x1fff) === 0;
}
