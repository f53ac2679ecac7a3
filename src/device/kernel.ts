/**
 * What a WGSL kernel is made of. A kernel's body is one WGSL text that can be read by itself; whatever
 * varies between uses (tile sizes, kernel widths, an activation function) arrives in a *prelude* of
 * `const` lines and small functions written in front of it. Sizes that change from picture to picture are not
 * in the text but in a uniform, `struct Params`, so that one compiled pipeline serves all of them.
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
}

export interface Param {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
}

/** What the prelude is generated from. */
export interface Specialisation {
  /** Emitted as `const NAME = value;`: tile sizes and other numbers the compiler should know. */
  readonly constants?: Readonly<Record<string, number>>;
  /** WGSL functions the body calls, such as `fn f(x: f32) -> f32 { … }`. */
  readonly functions?: string;
  /** WGSL extensions to enable, such as `subgroups`. */
  readonly enable?: readonly string[];
}

/**
 * Declares a kernel. Bindings and parameter layout are read from the WGSL itself, so the two languages cannot
 * disagree: `var<storage, read> x` is passed as `buffers: { x }`, and `struct Params { h: u32 }` as
 * `params: { h }`. Parameters are 4-byte scalars only, which need no alignment rules.
 */
export function kernel(name: string, body: string): Kernel {
  const bindings: Binding[] = [];
  const declaration =
    /@group\(0\)\s*@binding\((\d+)\)\s*var<(storage,\s*read_write|storage,\s*read|uniform)>\s*(\w+)/g;
  for (const [, index, space, variable] of body.matchAll(declaration)) {
    const kind = space === "uniform" ? "uniform" : space.endsWith("read_write") ? "read_write" : "read";
    bindings.push({ index: Number(index), name: variable, kind });
  }
  const struct = /struct Params\s*\{([^}]*)\}/.exec(body)?.[1].replace(/\/\/.*$/gm, "") ?? "";
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

/** The final WGSL: prelude and body, of which `// @if` leaves out parts and `// @unroll` writes out loops. */
export function wgslSource(kernel: Kernel, specialisation: Specialisation = {}): string {
  const constants = specialisation.constants ?? {};
  const lines = [
    ...(specialisation.enable ?? []).map((extension) => `enable ${extension};`),
    ...Object.entries(constants).map(([name, value]) => `const ${name} = ${wgslNumber(value)};`),
    ...(specialisation.functions ? [specialisation.functions] : []),
  ];
  return `${lines.join("\n")}\n${unrollLoops(kernel, keepChosen(kernel, constants), constants)}`;
}

/** Numbers as WGSL writes them; "abstract" literals that become u32, i32 or f32 where they are used. */
function wgslNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`A WGSL constant must be finite, got ${value}.`);
  return String(value);
}

/**
 * Keeps one of two pieces of the body, as a constant of the prelude decides: the first unless it is 0.
 *
 *     // @if LANES
 *     let g = subgroupBroadcast(share, 3);
 *     // @else
 *     let g = dy[at];
 *     // @end
 *
 * Why: WGSL refuses to compile what a device does not have, even where it is never run, and has no
 * preprocessor.
 */
function keepChosen(kernel: Kernel, constants: Readonly<Record<string, number>>): string {
  const choice = /^ *\/\/ @if (\w+)\n([\s\S]*?)(?:^ *\/\/ @else\n([\s\S]*?))?^ *\/\/ @end\n/gm;
  const text = kernel.body.replace(choice, (_, name: string, first: string, second = "") => {
    const value = constants[name];
    if (value === undefined) {
      throw new Error(`Kernel ${kernel.name}: "@if ${name}" asks for a constant that the prelude lacks.`);
    }
    return value === 0 ? second : first;
  });
  if (/^ *\/\/ @(if|else|end)\b/m.test(text)) {
    throw new Error(
      `Kernel ${kernel.name}: an "// @if NAME" needs its "// @end", each on a line of its own.`,
    );
  }
  return text;
}

/**
 * Writes out loops of the form `for (var i = 0; i < COUNT; i++) { // @unroll`, COUNT being a number or a
 * constant of the prelude: the block is repeated with `i` replaced by 0, 1, 2, …
 *
 * Why: a GPU keeps `var sums: array<f32, 32>` in registers only if every index is known when compiling. With
 * an index that is a loop variable, Mesa and SwiftShader put the array in memory and run several times
 * slower; WGSL has no unroll attribute, so the text itself is unrolled. The copies hold literal numbers,
 * which fit u32 and i32 alike: without this step `column + i` with a u32 `column` would not compile.
 *
 * Unrolled blocks must not branch: dozens of branches among dozens of registers take SwiftShader's compiler
 * minutes and Mesa's seconds. `select` and `min` serve instead of `if`, and `&` instead of `&&`, which is a
 * branch, too.
 */
function unrollLoops(kernel: Kernel, body: string, constants: Readonly<Record<string, number>>): string {
  const marked = /for \(var (\w+) = 0; \1 < (\w+); \1\+\+\) \{ \/\/ @unroll\n/;
  let text = body;
  // Outermost first: the copies contain the inner loops, which are found in later rounds.
  for (let match = marked.exec(text); match; match = marked.exec(text)) {
    const [header, variable, bound] = match;
    const count = /^\d+$/.test(bound) ? Number(bound) : constants[bound];
    if (count === undefined) {
      throw new Error(
        `Kernel ${kernel.name}: the loop over ${variable} is to be unrolled ${bound} times, and the prelude has no ${bound}.`,
      );
    }
    const start = match.index + header.length;
    const end = closingBrace(text, start);
    const block = text.slice(start, end);
    const mention = new RegExp(`(?<![.\\w])${variable}\\b`, "g"); // `i`, but not the field `p.i`
    let copies = "";
    for (let i = 0; i < count; i++) copies += `{\n${block.replace(mention, String(i))}}\n`;
    text = text.slice(0, match.index) + copies + text.slice(end + 1);
  }
  if (/\{ *\/\/ *@unroll/.test(text)) {
    throw new Error(
      `Kernel ${kernel.name}: a loop marked @unroll has not the form "for (var i = 0; i < COUNT; i++) { // @unroll", ` +
        `and would stay a loop. Write it so.`,
    );
  }
  return text;
}

/** Position of the `}` that closes a block whose inside starts at `start`. */
function closingBrace(text: string, start: number): number {
  let depth = 1;
  let at = start;
  while (depth > 0) {
    if (at >= text.length) throw new Error("A loop marked @unroll is never closed.");
    if (text[at] === "{") depth++;
    if (text[at] === "}") depth--;
    at++;
  }
  return at - 1;
}

/** `Params` as bytes. Throws when a field is missing, unknown or not a number of its type. */
export function packParams(
  kernel: Kernel,
  values: Readonly<Record<string, number>>,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.max(4, kernel.params.length));
  const floats = new Float32Array(words.buffer);
  const integers = new Int32Array(words.buffer);
  for (const [i, { name, type }] of kernel.params.entries()) {
    const value = values[name];
    if (value === undefined) throw new Error(`Kernel ${kernel.name}: parameter ${name} was not given.`);
    if (type === "f32") {
      floats[i] = value;
      continue;
    }
    const lowest = type === "u32" ? 0 : -(2 ** 31);
    const highest = type === "u32" ? 2 ** 32 : 2 ** 31;
    if (!Number.isInteger(value) || value < lowest || value >= highest) {
      throw new Error(`Kernel ${kernel.name}: parameter ${name} must be a ${type}, got ${value}.`);
    }
    if (type === "u32") words[i] = value;
    else integers[i] = value;
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
 * The grid for `threads` invocations in one dimension, folded into two where one axis would pass
 * {@link MAX_GRID}. The kernel finds its index as `id.x + id.y * groups.x * WORKGROUP` (`groups` being
 * `@builtin(num_workgroups)`) and must return when that is past the end.
 */
export function linearGrid(threads: number, workgroup: number): Grid {
  const groups = Math.ceil(threads / workgroup);
  if (groups <= MAX_GRID) return [groups];
  const rows = Math.ceil(groups / MAX_GRID);
  return [Math.ceil(groups / rows), rows];
}
