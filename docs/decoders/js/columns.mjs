// Packed columns: bits to integers, exact up to 2^53.
import { MAX_VALUE, WireError, demand } from "./errors.mjs";

const ESCAPE = 16;
const MAX_LENGTH = 53;

class Bits {
  constructor(data) {
    this.data = data;
    this.pos = 0;
    this.end = 8 * data.length;
  }

  bit() {
    demand(this.pos < this.end, "packed columns: the byte string ends in the middle of a column");
    const bit = (this.data[this.pos >> 3] >> (7 - (this.pos & 7))) & 1;
    this.pos += 1;
    return bit;
  }

  take(size) {
    let number = 0;
    for (let at = 0; at < size; at++) number = number * 2 + this.bit();
    return number;
  }

  number(length) {
    demand(length <= MAX_LENGTH, `packed columns: a number of ${length} bits`);
    const number = this.take(length);
    demand(length === 0 || number >= 2 ** (length - 1), "packed columns: the top bit of a number is 0");
    return number;
  }

  rice(k) {
    let quotient = 0;
    while (quotient < ESCAPE && this.bit()) quotient += 1;
    if (quotient < ESCAPE) return quotient * 2 ** k + this.take(k);
    const u = this.number(this.take(7) + 1);
    demand(u >= ESCAPE * 2 ** k, `packed columns: an escape where ${u} needs none`);
    return u;
  }
}

/** Return `count` columns of `n` integers each, null where a channel is absent. */
export function unpack(data, n, count) {
  const bits = new Bits(data);
  const columns = [];
  for (let at = 0; at < count; at++) columns.push(column(bits, n));
  const left = bits.end - bits.pos;
  demand(left <= 7 && bits.take(left) === 2 ** left - 1, `packed columns: ${left} bits are left over that are not padding`);
  return columns;
}

function column(bits, n) {
  const mode = bits.take(3);
  if (mode === 7) return null;
  const first = unzigzag(bits.number(bits.take(6)));
  const zigzags = mode === 0 ? new Array(n - 1).fill(0) : mode < 4 ? residuals(bits, n - 1) : runs(bits, n - 1);
  return integrate(first, mode === 0 ? 0 : (mode - 1) % 3, zigzags);
}

function residuals(bits, count) {
  const k = bits.take(5);
  const zigzags = [];
  while (zigzags.length < count) zigzags.push(bits.rice(k));
  return zigzags;
}

function runs(bits, count) {
  const kr = bits.take(5);
  const kv = bits.take(5);
  const zigzags = [];
  while (zigzags.length < count) {
    const run = bits.rice(kr);
    demand(run <= count - zigzags.length, "packed columns: a run of zeros beyond the last row");
    for (let at = 0; at < run; at++) zigzags.push(0);
    if (zigzags.length < count) zigzags.push(bits.rice(kv) + 1);
  }
  return zigzags;
}

// Every value is checked as it is made: with |v| < 2^50 no sum here leaves what a double holds.
function integrate(first, order, zigzags) {
  const values = [within(first)];
  let value = first;
  let step = 0;
  for (const zigzag of zigzags) {
    const residual = unzigzag(zigzag);
    step = order === 2 ? step + residual : residual;
    value = order === 0 ? first + residual : value + step;
    values.push(within(value));
  }
  return values;
}

function within(value) {
  if (Math.abs(value) > MAX_VALUE) throw new WireError("a value beyond 2^50");
  return value;
}

function unzigzag(u) {
  return u % 2 === 0 ? u / 2 : -(u + 1) / 2;
}
