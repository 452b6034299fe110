// Bytes as the console tells them, alone and beside its charts. Run by test_console_usage.py.

import assert from "node:assert/strict";

import { ceiling } from "../../api/web/console/bars.js";
import { bytes } from "../../api/web/console/format.js";
import { METRICS } from "../../api/web/console/usage.js";

const { show, unit } = METRICS.find(({ name }) => name === "bytes");
const labels = (most) => {
  const top = ceiling(Math.max(2, most), unit(most));
  assert.ok(top >= most, `${top} is below ${most}`);
  return [0, top / 2, top].map((value) => (Number.isInteger(value) ? show(value) : assert.fail(`no whole ${value}`)));
};

assert.deepEqual([0, 50, 1023, 1024, 1536, 3 * 2 ** 20].map(bytes), ["0 B", "50 B", "1023 B", "1 KiB", "2 KiB", "3.0 MiB"]);
assert.deepEqual(labels(0), ["0 B", "1 B", "2 B"]);
assert.deepEqual(labels(50), ["0 B", "30 B", "60 B"]);
assert.deepEqual(labels(1024), ["0 B", "512 B", "1 KiB"]);
assert.deepEqual(labels(60_000), ["0 B", "30 KiB", "60 KiB"]);
for (let most = 1; most < 2 ** 40; most = Math.ceil(most * 1.07)) labels(most);
