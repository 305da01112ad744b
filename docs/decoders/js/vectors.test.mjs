// node vectors.test.mjs DIRECTORY: hold the decoder against valid.json, refused.json and column-vectors.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { UnknownVersion, WireError, decode, expand } from "./edge-batch.mjs";

const directory = process.argv[2];
const load = (name) => JSON.parse(readFileSync(join(directory, name), "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const read = (data, birth) => {
  const message = decode(bytes(data));
  return birth ? expand(message, decode(bytes(birth))) : message;
};

const valid = load("valid.json");
for (const { name, data, birth, meaning } of valid) {
  const message = JSON.parse(JSON.stringify(read(data, birth)));
  assert.deepEqual(message, meaning, name);
}

const refused = load("refused.json");
for (const { name, at, data, birth, version } of refused) {
  if (at === "expand") decode(bytes(data));
  assert.throws(() => read(data, birth), (error) => error instanceof WireError && error instanceof UnknownVersion === version, name);
}

const columns = load("column-vectors.json");
for (const { tb, groups, channels, rows } of columns) {
  const width = (gid) => Array.from({ length: channels[gid] }, (_, at) => ({ name: `${gid}/${at}`, kind: 0, privacy: 0 }));
  const birth = { schema: "00".repeat(8), groups: Object.fromEntries(Object.keys(channels).map((gid) => [gid, width(gid)])) };
  const time = "061b" + BigInt(tb).toString(16).padStart(16, "0");
  const tbHex = tb < 2 ** 32 ? "061a" + tb.toString(16).padStart(8, "0") : time;
  const message = "aa0001014400000000020003010400054800000000000000" + "00" + tbHex + "078008" + groups + "0e48" + "00".repeat(8);
  const got = expand(decode(bytes(message)), birth).groups;
  const want = rows.map((row) => ({ ...row, columns: row.columns.map((column) => column && column.map(Number)) }));
  assert.deepEqual(got.map(({ gid, times, columns, flags }) => ({ gid, t: times, columns, flags })), want);
}

// Hostile sizes: refused in time, whatever they hold.
const long = (count, item) => Uint8Array.from([0xa1, 0, 0x9a, ...[24, 16, 8, 0].map((by) => (count >> by) & 255), ...new Array(count).fill(item)]);
for (const data of [long(262000, 0x40), long(262000, 0), long(262137, 0xf6), new Uint8Array(300000)]) {
  const start = performance.now();
  assert.throws(() => decode(data), WireError);
  assert.ok(performance.now() - start < 1000);
}
console.log(JSON.stringify({ valid: valid.length, refused: refused.length, columns: columns.length }));
