// From a decoded batch and its birth to rows.
import { Float } from "./cbor.mjs";
import { unpack } from "./columns.mjs";
import { MAX_UINT, MAX_WORK, demand } from "./errors.mjs";
import { uint } from "./fields.mjs";

const FLOAT = 4; // kind of a channel

/** Return the batch with its groups as rows: gid, period, times, columns, flags. */
export function expand(batch, birth) {
  demand(birth.schema === batch.schema, `the birth ${birth.schema} is not of the batch's schema ${batch.schema}`);
  const channelsOf = (gid) => {
    demand(Object.hasOwn(birth.groups, String(gid)), `the birth has no gid ${gid}`);
    return birth.groups[gid];
  };
  const work = batch.groups.reduce((sum, group) => sum + group.n * channelsOf(group.gid).length, batch.events.length);
  demand(work <= MAX_WORK, `batch: ${work} cells and events; at most ${MAX_WORK} are allowed`);
  const latest = new Map();
  const groups = batch.groups.map((group) => {
    const rows = expandGroup(group, channelsOf(group.gid), batch.tb);
    demand(rows.times[0] >= (latest.get(group.gid) ?? 0), "a gid that repeats begins before it ended");
    latest.set(group.gid, rows.times[group.n - 1]);
    return rows;
  });
  batch.events.forEach(([, ch]) => checkEvent(ch, channelsOf));
  const readings = groups.reduce((sum, { times, columns }) => sum + times.length * columns.filter((c) => c).length, batch.events.length);
  uint(batch.r0 + readings, "batch key 4 and its readings");
  const classes = batch.groups.flatMap(({ gid }) => channelsOf(gid).map((channel) => channel.privacy));
  return { ...batch, groups, privacy: classes.reduce((a, b) => Math.max(a, b), batch.privacy), readings };
}

function checkEvent(ch, channelsOf) {
  if (ch === null) return;
  const index = ch % 256;
  demand(index < channelsOf((ch - index) / 256).length || index === 255, `the birth has no channel ${index}`);
}

function expandGroup(group, channels, tb) {
  const floats = channels.some((channel) => channel.kind === FLOAT);
  const packed = group.cols instanceof Uint8Array;
  demand(!(packed && floats), "packed columns in a group with a float channel");
  const columns = packed ? unpack(group.cols, group.n, channels.length) : group.cols;
  demand(columns.length === channels.length, `${columns.length} columns for the ${channels.length} channels of the birth`);
  const plain = columns.map((column, at) => typed(column, channels[at]));
  checkFlags(group.flags, plain, group.n);
  return { gid: group.gid, period: group.period, times: times(group, tb), columns: plain, flags: group.flags };
}

function typed(column, channel) {
  if (column === null) return null;
  const float = column[0] instanceof Float;
  demand(float === (channel.kind === FLOAT), `channel ${channel.name}: floats belong on float channels, and only there`);
  return float ? column.map((item) => item.value) : column;
}

function times({ t0, period, n, tres }, tb) {
  const drift = tres instanceof Uint8Array ? unpack(tres, n, 1)[0] : (tres ?? new Array(n).fill(0));
  demand(drift !== null, "tres is an absent column");
  demand(drift[0] === 0, `tres begins with ${drift[0]}, not with 0`);
  let last = 0;
  return drift.map((late, at) => {
    const t = BigInt(tb) + BigInt(t0) + BigInt(at) * BigInt(period) + BigInt(late);
    demand(t <= BigInt(MAX_UINT), "a stamp beyond 2^53 ms");
    demand(t >= last, "the stamps of the rows go back in time");
    last = Number(t);
    return last;
  });
}

// A flag of an absent column marks no reading and is let through.
function checkFlags(flags, columns, n) {
  const every = new Uint8Array(n);
  const any = new Uint8Array(n);
  const single = new Map();
  for (const [col, start, length] of flags) {
    demand(col === 255 || col < columns.length, "a flag names a channel that the birth lacks");
    if (!single.has(col)) single.set(col, new Uint8Array(n));
    const own = col === 255 ? every : single.get(col);
    const present = col !== 255 && columns[col] !== null;
    for (let row = start; row < start + length; row++) {
      const taken = own[row] || (col === 255 ? any[row] : present && every[row]);
      demand(!taken, "a flag names a cell for the second time");
      own[row] = 1;
      if (present) any[row] = 1;
    }
  }
}
