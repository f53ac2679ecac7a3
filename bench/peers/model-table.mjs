/** The table of `npm run model`, and whether the results agree. */
import { difference, TOLERANCE } from "./report.mjs";

/**
 * @param programs `{ name, seconds, values }` of each, where `seconds` are those of its median run. The first one is
 *   the judge of the others' values, and one of these is called pixelgrad.
 * @returns the table's lines, and a sentence for each program that computes in float32 and disagrees. What has
 *   float16 in its name is allowed to.
 */
export function modelTable([judge, ...programs]) {
  const own = programs.find(({ name }) => name === "pixelgrad");
  const lines = [
    `| program | s | times of pixelgrad's | largest difference from ${judge.name}, of the largest value |`,
    "|---|---|---|---|",
  ];
  const failures = [];
  for (const { name, seconds, values } of programs) {
    const apart = difference(values, judge.values);
    const cells = [name, seconds.toFixed(3), (seconds / own.seconds).toFixed(2)];
    lines.push(`| ${[...cells, apart.toExponential(1)].join(" | ")} |`);
    if (apart <= TOLERANCE || name.includes("float16")) continue;
    const counts =
      values.length === judge.values.length ? "" : `: ${values.length}, not ${judge.values.length}`;
    failures.push(`The values of ${name} differ from those of ${judge.name}${counts}.`);
  }
  return { lines, failures };
}
