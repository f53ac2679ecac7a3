import {
  ArgumentError,
  anObject,
  aText,
  checkArguments,
  finite,
  isObject,
  listOf,
  optional,
  type Wanted,
} from "../options/arguments.ts";
import { oneOf, quote, text, whole } from "../options/kinds.ts";

/**
 * The parts of a WGSL kernel. A kernel's body is one WGSL text that can be read by itself. What varies
 * between uses (block sizes, the window's size, an activation) is in a *prelude*: `const` lines and small
 * functions before it. Sizes that change from picture to picture are not in the text but in a uniform,
 * `struct Params`, so that one compiled pipeline serves all of them.
 */
export interface Kernel {
  readonly name: string;
  readonly body: string;
  /** `@binding` declarations of the body, in order. */
  readonly bindings: readonly Binding[];
  /** Fields of `struct Params`, in order; empty when the body has none. */
  readonly params: readonly Param[];
}

export interface Binding {
  readonly index: number;
  /** The variable's name in the body; callers pass buffers by this name. */
  readonly name: string;
  readonly kind: "read" | "read_write" | "uniform";
  /** Declared as `array<element>` or `array<element4>`: it may be float16 (see {@link Specialization}). */
  readonly anyFloat: boolean;
}

export interface Param {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
}

/** What a prelude is generated from. */
export interface Specialization {
  /** Numbers that the compiler should know, such as block sizes. Each becomes `const NAME = value;`. */
  readonly constants?: Readonly<Record<string, number>>;
  /** WGSL functions the body calls, such as `fn f(x: f32) -> f32 { … }`. */
  readonly functions?: string;
  /**
   * WGSL extensions to enable, such as `subgroups`. With `subgroup_size_control` the kernel asks for subgroups
   * of LANES threads, a constant that it has then.
   */
  readonly enable?: readonly string[];
  /**
   * What the tensors of a launch are stored as: the type `element` of the body, and `element4` for four of
   * them. Kernels read them with `f32(x[i])`, compute in f32, and write `y[i] = element(sum)`; where both are
   * f32 that does nothing. The device sets it, by the buffers. Default "f32".
   */
  readonly element?: "f32" | "f16";
}

/**
 * Declares a kernel. Its bindings and parameters are read from the WGSL itself, so the two languages cannot
 * disagree: a launch passes `buffers: { x }` for `var<storage, read> x`, and `params: { h }` for
 * `struct Params { h: u32 }`. Parameters are 4-byte scalars only, which need no alignment rules.
 */
export function kernel(name: string, body: string): Kernel {
  checkArguments("kernel", { name: [name, text], "the second argument": [body, wgsl] });
  const declaration =
    /@group\(0\)\s*@binding\((\d+)\)\s*var<(?:storage,\s*)?(read_write|read|uniform)>\s*(\w+)\s*:\s*([^;]+)/g;
  const code = body.replace(/\/\/.*$/gm, "");
  const bindings = Array.from(code.matchAll(declaration), ([, index, kind, variable, type]): Binding => {
    const anyFloat = /^array<element4?>$/.test(type.trim());
    return { index: Number(index), name: variable, kind: kind as Binding["kind"], anyFloat };
  });
  const bindingCount = code.match(/@binding\(/g)?.length ?? 0;
  if (bindings.length !== bindingCount) {
    throw new Error(
      `Kernel ${name}: of ${bindingCount} buffers, ${bindings.length} are declared in the form that is read here: ` +
        `"@group(0) @binding(0) var<storage, read> x: array<f32>;", with read_write for results, or ` +
        `"@group(0) @binding(1) var<uniform> p: Params;".`,
    );
  }
  const struct = /struct Params\s*\{([^}]*)\}/.exec(code)?.[1] ?? "";
  const params: Param[] = [];
  for (const [, field, type] of struct.matchAll(/(\w+)\s*:\s*([\w<>]+)/g)) {
    if (type !== "u32" && type !== "i32" && type !== "f32") {
      throw new Error(
        `Kernel ${name}: parameter ${field} is a ${type}; only u32, i32 and f32 are allowed in Params.`,
      );
    }
    params.push({ name: field, type });
  }
  return { name, body, bindings, params };
}

const wgsl: Wanted<string> = {
  wants: "a text in WGSL",
  fits: (value): value is string => typeof value === "string",
};

/** What functions that take a kernel want. */
export const aKernel: Wanted<Kernel> = {
  wants: "a kernel, such as kernel(name, wgsl) returns",
  fits: (value): value is Kernel => isObject(value) && Array.isArray(value.bindings),
};

/**
 * The final WGSL: prelude and body, of which `// @if` leaves out parts, `// @unroll` writes out loops, and
 * `// @registers` turns arrays into variables.
 */
export function wgslSource(kernel: Kernel, specialization: Specialization = {}): string {
  checkArguments("wgslSource", { kernel: [kernel, aKernel] });
  checkArguments("wgslSource", { "the second argument": [specialization, anObject] });
  const { enable = [], constants = {}, functions, element = "f32" } = specialization;
  checkArguments("wgslSource", {
    enable: [enable, listOf(text)],
    constants: [constants, anObject],
    functions: [functions, optional(aText)],
    element: [element, oneOf("f16", "f32")],
  });
  const extensions = element === "f16" ? ["f16", ...enable] : enable;
  const lines = extensions.map((extension) => `enable ${extension};`);
  if (kernel.bindings.some(({ anyFloat }) => anyFloat)) {
    lines.push(`alias element = ${element};`, `alias element4 = vec4<${element}>;`);
  }
  for (const [name, value] of Object.entries(constants)) {
    if (!Number.isFinite(value)) {
      throw new ArgumentError(
        "wgslSource",
        `the constant ${name} must be a finite number, got ${quote(value)}.`,
      );
    }
    // A literal without a type: it becomes u32, i32 or f32 where it is used.
    lines.push(`const ${name} = ${value};`);
  }
  if (functions) lines.push(functions);
  const loopless = unrollLoops(kernel, keepChosen(kernel, constants), constants);
  const body = intoRegisters(kernel, loopless, constants);
  const attributes = enable.includes("subgroup_size_control") ? "@compute @subgroup_size(LANES)" : "@compute";
  return `${lines.join("\n")}\n${body.replace("@compute", attributes)}`;
}

/**
 * The line of the kernel's body, counted from 1, that each line of `wgslSource` comes from: errors name lines of the
 * final text, and people write the body. 0 for the prelude's lines.
 */
export function bodyLines(kernel: Kernel, specialization: Specialization = {}): number[] {
  // Number every line but those that the rewriting looks for, and rewrite the text with these numbers.
  const steering = /\/\/ @(?:unroll|registers|if|else|end)\b|^ *\}$/;
  const numbered = kernel.body
    .split("\n")
    .map((line, i) => (steering.test(line) ? line : `${line} //#${i + 1}`));
  let last = 0;
  return wgslSource({ ...kernel, body: numbered.join("\n") }, specialization)
    .split("\n")
    .map((line) => {
      last = Number(/\/\/#(\d+)$/.exec(line)?.[1] ?? last);
      return last;
    });
}

/**
 * Keeps one of two pieces of the body: the first, unless the prelude's constant is 0.
 *
 *     // @if LANES
 *     let g = subgroupBroadcast(share, 3);
 *     // @else
 *     let g = dy[at];
 *     // @end
 *
 * A piece may hold such a choice itself.
 *
 * Why: WGSL has no preprocessor, and a device refuses to compile what it does not support, even in code that
 * never runs.
 */
function keepChosen(kernel: Kernel, constants: Readonly<Record<string, number>>): string {
  const piece = String.raw`((?:(?! *// @(?:if|else|end)\b).*\n)*)`; // lines that choose nothing
  const choice = new RegExp(String.raw`^ *// @if (\w+)\n${piece}(?: *// @else\n${piece})? *// @end\n`, "m");
  const choose = (_: string, name: string, first: string, second = "") => {
    const value = constants[name];
    if (value === undefined) {
      throw new Error(`Kernel ${kernel.name}: "@if ${name}" asks for a constant that the prelude lacks.`);
    }
    return value === 0 ? second : first;
  };
  let text = kernel.body;
  while (choice.test(text)) text = text.replace(choice, choose); // from the inside out
  if (/^ *\/\/ @(if|else|end)\b/m.test(text)) {
    throw new Error(
      `Kernel ${kernel.name}: an "// @if NAME" needs its "// @end", each on a line of its own.`,
    );
  }
  return text;
}

/**
 * Writes out loops of the form
 *
 *     for (var i = 0; i < COUNT; i++) { // @unroll
 *       sums[i] += x[column + i];
 *     }
 *
 * as copies of the block in which `i` is replaced by 0, 1, 2, … COUNT is a number or a constant of the
 * prelude. The closing brace stands alone, indented like the `for`.
 *
 * Why: an array such as `var sums: array<f32, 32>` stays in registers only if the compiler knows every index.
 * If an index is a loop variable, Mesa and SwiftShader put the array in memory and run several times slower.
 * WGSL has no unroll attribute, so the text itself is unrolled. The copies hold literal numbers, which fit
 * u32 and i32 alike: `column + i` with a u32 `column` would not compile otherwise.
 *
 * In kernels that software adapters run, unrolled blocks must not branch: dozens of branches among dozens of registers
 * take their compilers long (docs/measurements.md, "What branches around stores cost"). Use `select` and `min` instead
 * of `if`, and `&` instead of `&&`, which is a branch, too. Kernels that only real GPUs run may branch, if there are
 * few copies: tests compile them in software, too.
 */
function unrollLoops(kernel: Kernel, body: string, constants: Readonly<Record<string, number>>): string {
  const loop = /^( *)for \(var (\w+) = 0; \2 < (\w+); \2\+\+\) \{ \/\/ @unroll\n([\s\S]*?)^\1\}$/gm;
  const writeOut = (_: string, indent: string, variable: string, bound: string, block: string): string => {
    const count = /^\d+$/.test(bound) ? Number(bound) : constants[bound];
    if (count === undefined) {
      throw new Error(
        `Kernel ${kernel.name}: the loop over ${variable} is to be unrolled ${bound} times, and the ` +
          `prelude has no ${bound}.`,
      );
    }
    const mention = new RegExp(`(?<![.\\w])${variable}\\b`, "g"); // `i`, but not the field `p.i`
    const copies = Array.from({ length: count }, (_, i) => block.replace(mention, String(i)));
    return copies.map((copy) => `${indent}{\n${copy}${indent}}`).join("\n");
  };
  // The outermost loops first; their copies contain the inner loops, whose turn comes in later rounds.
  let text = body;
  for (let before = ""; text !== before; ) {
    before = text;
    text = before.replace(loop, writeOut);
  }
  if (/\{ *\/\/ *@unroll/.test(text)) {
    throw new Error(
      `Kernel ${kernel.name}: a loop marked @unroll would stay a loop, since it does not have the form ` +
        `"for (var i = 0; i < COUNT; i++) { // @unroll" with a "}" of the same indentation. Write it so.`,
    );
  }
  return text;
}

/**
 * Replaces an array that is declared as
 *
 *     var sums: array<vec4f, COUNT>; // @registers
 *
 * by COUNT variables, `sums_0`, `sums_1`, … All its indices must be made of numbers and constants of the prelude
 * once the loops are written out.
 *
 * Why: compilers should do this by themselves, and mostly do. docs/gpus.md has what it gained in step 6 of the
 * convolution. The weight gradients do without: nobody has measured it there, and sizes such as QUADS * TAPS would need
 * names.
 */
function intoRegisters(kernel: Kernel, body: string, constants: Readonly<Record<string, number>>): string {
  const declaration = /^( *)var (\w+): array<(.+), (\w+)>; \/\/ @registers$/gm;
  const counts = new Map<string, number>();
  let text = body.replace(declaration, (_, indent: string, name: string, type: string, bound: string) => {
    const count = constants[bound] ?? Number(bound);
    if (!Number.isInteger(count) || count < 0) {
      throw new Error(
        `Kernel ${kernel.name}: ${name} is to be in registers, and its size ${bound} is neither a number nor a ` +
          "constant of the prelude.",
      );
    }
    counts.set(name, count);
    return indent + Array.from({ length: count }, (_, i) => `var ${name}_${i}: ${type};`).join(" ");
  });
  if (text.includes("// @registers")) {
    throw new Error(
      `Kernel ${kernel.name}: an array marked @registers would stay an array, since its declaration does not ` +
        'have the form "var name: array<TYPE, COUNT>; // @registers" on a line of its own. Write it so.',
    );
  }
  for (const [name, count] of counts) {
    const index = new RegExp(`\\b${name}\\[`);
    for (let match = index.exec(text); match; match = index.exec(text)) {
      const start = match.index + name.length + 1;
      const end = closingBracket(text, start);
      const at = integerOf(text.slice(start, end), constants);
      if (at === undefined || at < 0 || at >= count) {
        throw new Error(
          `Kernel ${kernel.name}: ${name} is to be in registers, and its index "${text.slice(start, end)}" is ` +
            `not a number from 0 to ${count - 1}, made of numbers and constants of the prelude.`,
        );
      }
      text = `${text.slice(0, match.index)}${name}_${at}${text.slice(end + 1)}`;
    }
  }
  return text;
}

/** The place at which the bracket closes that was opened before `start`. */
function closingBracket(text: string, start: number): number {
  let depth = 1;
  for (let i = start; ; i++) {
    if (text[i] === "[") depth++;
    if (text[i] === "]") depth--;
    if (depth === 0 || i === text.length) return i;
  }
}

/** A whole number from whole numbers, constants, + - * / % and parentheses, as WGSL computes it. */
function integerOf(expression: string, constants: Readonly<Record<string, number>>): number | undefined {
  const tokens = expression.match(/\d+|\w+|[-+*/%()]|\S/g) ?? [];
  const atom = (): number => {
    const token = tokens.shift() ?? "";
    if (token !== "(") return /^\d+$/.test(token) ? Number(token) : (constants[token] ?? Number.NaN);
    const value = sum();
    return tokens.shift() === ")" ? value : Number.NaN;
  };
  const product = (): number => {
    let value = atom();
    while (/^[*/%]$/.test(tokens[0] ?? "")) {
      const operator = tokens.shift();
      const other = atom();
      value = operator === "*" ? value * other : operator === "/" ? Math.trunc(value / other) : value % other;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (/^[+-]$/.test(tokens[0] ?? "")) value += tokens.shift() === "+" ? product() : -product();
    return value;
  };
  const value = sum();
  return tokens.length === 0 && Number.isInteger(value) ? value : undefined;
}

/** How many words a buffer for the kernel's `Params` has: at least a vec4, which some drivers want. */
export function uniformWords({ params }: Kernel): number {
  return Math.max(4, params.length);
}

/** `Params` as bytes. Throws when a field is missing, unknown or not a number of its type. */
export function packParams(
  kernel: Kernel,
  values: Readonly<Record<string, number>>,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(uniformWords(kernel));
  const floats = new Float32Array(words.buffer);
  for (const [i, { name, type }] of kernel.params.entries()) {
    const value = values[name];
    if (value === undefined) throw new Error(`Kernel ${kernel.name}: parameter ${name} is missing.`);
    if (type !== "f32" && value !== (type === "u32" ? value >>> 0 : value | 0)) {
      throw new Error(`Kernel ${kernel.name}: parameter ${name} must be a ${type}, got ${value}.`);
    }
    if (type === "f32") floats[i] = value;
    else words[i] = value; // a negative i32 becomes the u32 of the same bits
  }
  for (const name of Object.keys(values)) {
    if (!kernel.params.some((param) => param.name === name)) {
      throw new Error(`Kernel ${kernel.name}: there is no parameter ${name} in its Params.`);
    }
  }
  return words;
}

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number?, number?];

/** WebGPU's default limit of workgroups along one axis. */
export const MAX_GRID = 65535;

/**
 * The grid for `threads` invocations in one dimension, folded into two dimensions where one axis would exceed
 * {@link MAX_GRID}. The kernel computes its index as `id.x + id.y * groups.x * WORKGROUP`, where `groups` is
 * `@builtin(num_workgroups)`, and must return when that is past the end.
 */
export function linearGrid(threads: number, workgroup: number): Grid {
  checkArguments("linearGrid", { threads: [threads, finite], workgroup: [workgroup, whole(1)] });
  const groups = Math.ceil(threads / workgroup);
  if (groups <= MAX_GRID) return [groups];
  const rows = Math.ceil(groups / MAX_GRID);
  return [Math.ceil(groups / rows), rows];
}

const isCount = (value: unknown) => Number.isInteger(value) && (value as number) > 0;

/** Throws unless a kernel can be launched with this grid: with numbers of workgroups, none above {@link MAX_GRID}. */
export function checkGrid({ name }: Kernel, grid: Grid): void {
  const [x, y = 1, z = 1] = Array.isArray(grid) ? (grid as Grid) : [0];
  if (!isCount(x) || !isCount(y) || !isCount(z) || grid.length > 3) {
    throw new ArgumentError(
      `Kernel ${name}`,
      `grid is a list of one to three numbers of workgroups, such as linearGrid(size, 64), got ${quote(grid)}.`,
    );
  }
  if (Math.max(x, y, z) > MAX_GRID) {
    throw new Error(
      `Kernel ${name}: a grid of ${x} x ${y} x ${z} workgroups exceeds ${MAX_GRID} on one axis.`,
    );
  }
}
