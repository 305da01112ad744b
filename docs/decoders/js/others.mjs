// Births, about messages, states and acks.
import { MAX_VALUE, demand } from "./errors.mjs";
import { hex, list, need, notDefault, plain, sint, table, text, uint } from "./fields.mjs";
import { sha256 } from "./sha256.mjs";

const NAME = /^[A-Za-z0-9][-.:_A-Za-z0-9]*\/[-.:/_A-Za-z0-9]+$/;

const node = (map, kind) => hex(need(map, 1, kind), `${kind} key 1`, 4, 16);
const spool = (map, kind) => hex(need(map, 14, kind), `${kind} key 14`, 8, 8);

/** Return the birth in a decoded map; `encoded` are the bytes of key 20. */
export function readBirth(map, encoded) {
  const schema = hex(need(map, 5, "birth"), "birth key 5", 8, 8);
  demand(schema === hex(sha256(encoded).slice(0, 8), "hash", 8, 8), `birth key 5: ${schema} is not the hash of key 20`);
  const groups = table(map.get(20), "birth key 20");
  demand(groups.size > 0, "birth key 20: a birth without a group describes nothing");
  const entries = Array.from(groups, ([gid, channels]) => [
    String(uint(gid, "birth gid", 65535)),
    list(channels, `birth gid ${gid}`, 1, 255).map((channel) => readChannel(table(channel, "channel"))),
  ]);
  const names = entries.flatMap(([, channels]) => channels.map((channel) => channel.name));
  demand(new Set(names).size === names.length, "birth key 20: a channel name is there twice");
  return { type: "birth", node: node(map, "birth"), schema, groups: Object.fromEntries(entries) };
}

function readChannel(map) {
  const optional = (key, least = 0) => (map.has(key) ? uint(map.get(key), `channel key ${key}`, undefined, least) : null);
  const words = (key) => (map.has(key) ? text(map.get(key), `channel key ${key}`) : "");
  const name = text(need(map, 0, "channel"), "channel key 0");
  demand(NAME.test(name), `channel ${name}: not <sensor>/<quantity> of letters, digits and -.:/_`);
  const scale = sint(need(map, 2, "channel"), "channel key 2", 18);
  const kind = uint(need(map, 3, "channel"), "channel key 3", 4);
  demand(kind !== 3, "channel key 3: 3 is no kind");
  demand(kind !== 4 || scale === 0, "channel key 3: a float channel has scale 0");
  const [low, high] = map.has(5) ? readRange(map.get(5), scale) : [null, null];
  const calibration = map.has(9) ? list(map.get(9), "channel key 9", 2).slice(0, 2) : null;
  calibration?.forEach((part) => text(part, "channel key 9"));
  return {
    name,
    unit: text(need(map, 1, "channel"), "channel key 1"),
    scale,
    kind,
    observed: words(4),
    low,
    high,
    period_ms: optional(6),
    model: words(7),
    serial: words(8),
    calibration,
    uncertainty: optional(10),
    privacy: map.has(11) ? Math.min(notDefault(optional(11), "channel key 11"), 2) : 0,
    modulus: optional(12, 1),
    stamp_ms: optional(13),
  };
}

function readRange(item, scale) {
  const [low, high] = list(item, "channel key 5", 2).slice(0, 2);
  demand(sint(low, "channel key 5", MAX_VALUE) <= sint(high, "channel key 5", MAX_VALUE), "channel key 5: the minimum is above the maximum");
  return [unscaled(low, scale), unscaled(high, scale)];
}

/** Return the value in the unit of a channel for the integer `v`, with one rounding. */
export function unscaled(v, scale) {
  const power = Number(`1e${Math.abs(scale)}`);
  return scale < 0 ? v / power : v * power;
}

/** Return the record of a commissioning, where there is one: at most 4,096 bytes of text. */
function commission(record) {
  demand(new TextEncoder().encode(record).length <= 4096, "about key 25: 4096 are allowed");
  return record ? { commission: record } : {};
}

/** Return the about message in a decoded map. */
export function readAbout(map) {
  const words = (key) => (map.has(key) ? text(map.get(key), `about key ${key}`) : "");
  for (const key of table(map.get(21), "about key 21").keys()) text(key, "about key 21");
  const transparency = map.has(22) ? table(map.get(22), "about key 22") : new Map();
  transparency.forEach((value, key) => text(key, "about key 22") + text(value, "about key 22"));
  return {
    type: "about",
    node: node(map, "about"),
    site: plain(map.get(21)),
    transparency: plain(transparency),
    firmware: words(23),
    hardware: words(24),
    ...commission(words(25)),
  };
}

/** Return the state in a decoded map. */
export function readState(map) {
  const online = map.get(40);
  demand(typeof online === "boolean", "state key 40: not true or false");
  const [epoch, connect] = list(need(map, 41, "state"), "state key 41", 2);
  const ends = { type: "state", node: node(map, "state"), spool: spool(map, "state") };
  return { ...ends, online, epoch: uint(epoch, "state key 41"), connect_ms: uint(connect, "state key 41") };
}

/** Return the ack in a decoded map. */
export function readAck(map) {
  const ranges = Array.from(table(map.get(30), "ack key 30"), ([stream, items]) => [
    String(uint(stream, "ack key 30: stream", 15)),
    readRanges(items),
  ]);
  return {
    type: "ack",
    node: node(map, "ack"),
    spool: spool(map, "ack"),
    ranges: Object.fromEntries(ranges),
    resend: map.has(31) ? list(map.get(31), "ack key 31", 1).map(readResend) : [],
    utc_ms: map.has(32) ? sint(map.get(32), "ack key 32") : null,
    births: map.has(33) ? list(map.get(33), "ack key 33", 1).map((schema) => hex(schema, "ack key 33", 8, 8)) : [],
  };
}

function readRanges(items) {
  let last = 0;
  return list(items, "ack ranges", 1).map((item) => {
    const [from, to] = span(list(item, "ack range", 2));
    demand(from > last, "ack ranges must ascend and be disjoint");
    last = to;
    return [from, to];
  });
}

function readResend(item) {
  const [stream, ...rest] = list(item, "ack key 31", 3);
  return [uint(stream, "ack key 31", 15), ...span(rest)];
}

function span([from, to]) {
  demand(uint(from, "range", undefined, 1) <= uint(to, "range"), "a range runs backwards");
  return [from, to];
}
