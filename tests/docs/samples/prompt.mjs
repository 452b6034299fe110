// Runs pieces of JavaScript one after the other. Each is a line of JSON: `code`, its `names`, and the `end` to print.
import { createInterface } from "node:readline";

const AsyncFunction = (async () => {}).constructor;

for await (const line of createInterface({ input: process.stdin })) {
  const { code, names, end } = JSON.parse(line);
  let failed = 0;
  try {
    await new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
  } catch (error) {
    console.log(error);
    failed = 1;
  }
  console.log(end, failed);
}
