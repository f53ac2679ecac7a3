/** Networks as text for people. */

import { quantity } from "../options/lists.ts";

/** What the text says of a module. */
export interface Tree {
  /** The name of its class. */
  readonly kind: string;
  /** Its own tensors, such as "weight [16, 3, 3, 3]". */
  readonly tensors: readonly string[];
  /** How many numbers are trained, those of its parts included. */
  readonly parameters: number;
  readonly parts: readonly (readonly [name: string, tree: Tree])[];
}

/** A line for each module, indented below the one that it is a part of. Equal neighbours share one. */
export function drawTree(tree: Tree): string {
  return `${describe(tree)}${indent(drawParts(tree))}`.trimEnd();
}

function describe({ kind, tensors, parameters }: Tree, count = 1): string {
  const times = count === 1 ? "" : `${count} x `;
  const own = tensors.length === 0 ? "" : ` (${tensors.join("; ")})`;
  const size = parameters === 0 ? "" : `, ${quantity(parameters, "parameter")}`;
  return `${times}${kind}${own}${size}${size !== "" && count > 1 ? " each" : ""}\n`;
}

function drawParts({ parts }: Tree): string {
  let lines = "";
  for (let first = 0; first < parts.length; ) {
    const [name, part] = parts[first];
    const text = drawTree(part);
    let last = first;
    while (last + 1 < parts.length && drawTree(parts[last + 1][1]) === text) last++;
    const names = last === first ? name : `${name}${last === first + 1 ? "," : " to"} ${parts[last][0]}`;
    lines += `${names}: ${describe(part, last - first + 1)}${indent(drawParts(part))}`;
    first = last + 1;
  }
  return lines;
}

function indent(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, "  ");
}
