// What the console says of a role that nobody has. Run by test_judge.py.

import assert from "node:assert/strict";

import { AGAIN, judge } from "../../api/web/console/judge.js";

const api = { address: "a:1", answering: true, silent: 0, roles: ["api", "feed", "push"], parts: {} };
const project = (more) => ({ address: "a:2", answering: false, roles: ["project"], parts: {}, error: "none there", ...more });

function advice(...processes) {
  const figures = { sample: { values: {} }, faults: {}, disks: [], shards: [], parked: [], processes: [api, ...processes] };
  return judge(figures);
}

const ofRole = (found) => found.find(({ text }) => text.includes("role project")).todo;
const ofProcess = (found) => found.find(({ text }) => text.includes("a:2")).todo;
const byItself = /^'\.\/klatsch up' starts what has ended again by itself/;

for (const gone of [true, undefined]) {
  const young = advice(project({ silent: 2, gone }));
  assert.match(ofRole(young), byItself);
  assert.match(ofRole(young), /If not: start one with '\.\/klatsch serve --roles project'; until then nothing new is read/);
  assert.match(ofProcess(young), byItself);
  const old = advice(project({ silent: AGAIN, gone }));
  assert.match(ofRole(old), /^Start a process with '\.\/klatsch serve --roles project'/);
  assert.doesNotMatch(ofProcess(old), byItself);
}
// Of one that never said a word nobody knows whether it was ever there, and what roles it has.
for (const found of [advice(), advice({ address: "a:2", answering: false, silent: null, error: "none there" })]) {
  assert.match(ofRole(found), /^Start a process/);
}
// Another has the role: nothing is missing.
const well = advice(project({ silent: 2, gone: true }), project({ address: "a:3", answering: true, silent: 0 }));
assert.equal(well.some(({ text }) => text.includes("role project")), false);
