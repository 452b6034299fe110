// What the page /voice reckons, under node. Reads messages as hex, one a line, and prints what it reads of each, and the
// bytes that it would send.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { DELAY, Jitter, LATE, MOST } from "../../api/web/voice/jitter.js";
import { decode, encode } from "../../api/web/voice/message.js";
import { Resampler, SAMPLES, bytesOf, levelOf, samplesOf, to16 } from "../../api/web/voice/sound.js";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { user, timestamp, data } = decode(Buffer.from(line, "hex"));
  console.log(JSON.stringify([user, timestamp, hex(data), hex(encode({ timestamp, data }))]));
}
for (const wrong of ["08", "1a05aa", "08ffffffffffffffffffff01", "0c", "1affffffff7f"])
  assert.throws(() => decode(Buffer.from(wrong, "hex")), RangeError, wrong);

// As long after as before, whatever the rates, and as loud.
for (const from of [8000, 16000, 22050, 44100, 48000]) {
  const resampler = new Resampler(from, 16000);
  const found = [];
  const tone = Float32Array.from({ length: from }, (_, place) => 0.5 * Math.sin((2 * Math.PI * 440 * place) / from));
  for (let at = 0; at < tone.length; at += 128) resampler.push(tone.subarray(at, at + 128), (one) => found.push(one));
  assert.ok(Math.abs(found.length - 16000) <= 1, `${from}: ${found.length}`);
  const turns = found.filter((one, place) => place && one >= 0 !== found[place - 1] >= 0).length;
  assert.ok(Math.abs(turns - 880) <= 2, `${from}: ${turns}`);
  assert.ok(Math.abs(levelOf(Int16Array.from(found, to16)) - 0.85) < 0.01, `${from}: loud as before`);
}
assert.deepEqual([to16(0), to16(1), to16(-1), to16(2), to16(-7)], [0, 32767, -32767, 32767, -32767]);

const frame = Int16Array.from({ length: SAMPLES }, (_, place) => place * 100 - 16000);
assert.equal(bytesOf(frame).length, 640);
assert.deepEqual(samplesOf(bytesOf(frame)), frame);
assert.deepEqual([...bytesOf(Int16Array.of(1, -2))], [1, 0, 254, 255]);
// Whatever its place in a larger buffer, an odd one too.
assert.deepEqual(samplesOf(new Uint8Array([9, ...bytesOf(frame)]).subarray(1)), frame);
for (const wrong of [0, 1, 641, 32002]) assert.equal(samplesOf(new Uint8Array(wrong)), null);
assert.deepEqual([levelOf(new Int16Array(320)), levelOf(Int16Array.of(32767, -32768)).toFixed(2)], [0, "1.00"]);

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, not ${expected}`);
{
  // Early and late by less than the delay: as regular as they were said.
  const jitter = new Jitter();
  const said = (n) => 1_700_000_000_000 + 20 * n;
  [0, 0.02, -0.01, 0.05, 0.03].forEach((late, n) => near(jitter.at(said(n), 5 + 0.02 * n + late), 5 + 0.02 * n + DELAY));
  // Later than that: dropped, and the next one in time is played where it belongs.
  assert.equal(jitter.at(said(5), 5.1 + DELAY + 0.01), null);
  near(jitter.at(said(6), 5.12), 5.12 + DELAY);
  // After a pause, when nothing was said, still there.
  near(jitter.at(said(506), 15.13), 15.12 + DELAY);
}
{
  // A way that is longer for good: after some late ones the delay begins anew.
  const jitter = new Jitter();
  near(jitter.at(0, 1), 1 + DELAY);
  for (let n = 1; n <= LATE; n += 1) assert.equal(jitter.at(20 * n, 1.2 + 0.02 * n), null);
  near(jitter.at(20 * (LATE + 1), 3), 3 + DELAY);
  // A clock that was set ahead does not keep frames for hours.
  near(jitter.at(3_600_000, 4), 4 + DELAY);
  assert.ok(MOST > DELAY);
}
