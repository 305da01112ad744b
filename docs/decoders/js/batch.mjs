// The batch: its header, events, losses and groups as far as they go without the birth.
import { Float } from "./cbor.mjs";
import { MAX_VALUE, MAX_WORK, demand } from "./errors.mjs";
import { hex, list, need, notDefault, quality, sint, uint } from "./fields.mjs";

const MAX_GROUPS = 4096;

/** Return the batch in a decoded map; `groups` still need expand(). */
export function readBatch(map) {
  const where = "batch";
  const number = (key, least = 0) => uint(need(map, key, where), `batch key ${key}`, undefined, least);
  const epoch = number(2);
  const tb = number(6);
  const stream = map.has(10) ? notDefault(uint(map.get(10), "batch key 10", 15), "batch key 10") : 0;
  const privacy = map.has(11) ? Math.min(notDefault(uint(map.get(11), "batch key 11"), "batch key 11"), 2) : 0;
  const batch = {
    type: "batch",
    node: hex(need(map, 1, where), "batch key 1", 4, 16),
    epoch,
    seq: number(3, 1),
    r0: number(4),
    schema: hex(need(map, 5, where), "batch key 5", 8, 8),
    tb,
    spool: hex(need(map, 14, where), "batch key 14", 8, 8),
    anchors: readAnchors(need(map, 7, where)),
    groups: list(map.get(8), "batch key 8", 0, MAX_GROUPS).map(readGroup),
    events: map.has(9) ? list(map.get(9), "batch key 9", 1, MAX_WORK).map((item) => readEvent(item, tb)) : [],
    stream,
    privacy,
    losses: map.has(12) ? list(map.get(12), "batch key 12", 1, 64).map((item) => readLoss(item, stream)) : [],
    held: map.has(13) ? number(13) : null,
    previous: map.has(15) ? readPrevious(map.get(15), epoch) : null,
  };
  const rows = batch.groups.reduce((sum, group) => sum + group.n, 0);
  demand(rows + batch.events.length <= MAX_WORK, `batch: more rows and events than ${MAX_WORK}`);
  return batch;
}

function readAnchors(items) {
  let last = -1;
  return list(items, "batch key 7").map((item) => {
    const [mono, utc, source, err] = list(item, "anchor", 4);
    demand(uint(mono, "anchor") > last, "batch key 7: anchors must ascend");
    last = mono;
    return [mono, sint(utc, "anchor"), uint(source, "anchor") > 7 ? 0 : source, uint(err, "anchor")];
  });
}

function readPrevious(item, current) {
  const [epoch, mono, utc, err] = list(item, "batch key 15", 4);
  demand(uint(epoch, "batch key 15") < current, `batch key 15: epoch ${epoch} is not before ${current}`);
  return [epoch, uint(mono, "batch key 15"), sint(utc, "batch key 15"), uint(err, "batch key 15")];
}

function readLoss(item, stream) {
  const loss = list(item, "batch key 12", 6).slice(0, 6);
  loss.forEach((number) => uint(number, "batch key 12"));
  demand(loss[0] === stream, `batch key 12: a loss of stream ${loss[0]} in a batch of stream ${stream}`);
  uint(loss[1] + loss[2], "batch key 12 last ordinal");
  uint(loss[4] + loss[5], "batch key 12 last seq");
  return loss;
}

function readEvent(item, tb) {
  const [dt, ch, code, value = null, q = 0] = list(item, "batch key 9", 3);
  return [
    uint(tb + uint(dt, "event dt"), "event stamp"),
    ch === null ? null : uint(ch, "event channel", 65535 * 256 + 255),
    uint(code, "event code"),
    readValue(value),
    quality(q, "event quality"),
  ];
}

function readValue(value) {
  if (value === null || typeof value === "boolean") return value;
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return list(value, "event value", 1).map((part) => sint(part, "event value"));
  return sint(value, "event value");
}

function readGroup(item) {
  const [gid, t0, period, n, cols, tres = null, flags] = list(item, "group", 5);
  uint(n, "group rows", 4096, 1);
  return {
    gid: uint(gid, "gid", 65535),
    t0: uint(t0, "t0"),
    period: uint(period, "period"),
    n,
    cols: cols instanceof Uint8Array ? cols : list(cols, "columns", 1, 255).map((column) => readColumn(column, n)),
    tres: tres === null || tres instanceof Uint8Array ? tres : undoDeltas(list(tres, "tres", n, n)),
    flags: flags === undefined ? [] : readFlags(flags, n),
  };
}

// A column of floats keeps its wrappers until expand(): only the birth tells whether they may be.
function readColumn(column, n) {
  if (column === null) return null;
  const items = list(column, "column", n, n);
  return items.every((item) => item instanceof Float) ? items : undoDeltas(items);
}

function undoDeltas(items) {
  let value = 0;
  return items.map((delta) => {
    value += sint(delta, "column of integers");
    demand(Math.abs(value) <= MAX_VALUE, "a value beyond 2^50");
    return value;
  });
}

function readFlags(items, n) {
  return list(items, "flags", 1, 255 * n).map((item) => {
    const [col, start, length, q] = list(item, "flag", 4);
    uint(col, "flag column", 255);
    uint(start, "flag start", 4095);
    uint(length, "flag length", 4096, 1);
    demand(start + length <= n, `a flag runs beyond row ${n}`);
    return [col, start, length, notDefault(quality(q, "flag quality"), "flag quality")];
  });
}

