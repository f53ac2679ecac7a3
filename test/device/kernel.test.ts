/** How a kernel's WGSL is read and completed, and how its parameters become bytes. */
import { describe, expect, test } from "vitest";
import { kernel, linearGrid, MAX_GRID, packParams, wgslSource } from "../../src/device/kernel.ts";

describe("kernel", () => {
  test("reads bindings and parameters from the WGSL, in order", () => {
    const read = kernel(
      "demo",
      `
struct Params {
  n: u32, // n: f32 would be wrong
  offset: i32,
  scale : f32,
}
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // [n]
@group(0) @binding(3) var<storage, read> w: array<element4>;
@group(0) @binding(2) var<storage,read_write> y : array<element>;
@group(0)  @binding(1) var<uniform> p: Params;
`,
    );
    expect(read.bindings).toEqual([
      { index: 0, name: "x", kind: "read", anyFloat: false },
      { index: 3, name: "w", kind: "read", anyFloat: true },
      { index: 2, name: "y", kind: "read_write", anyFloat: true },
      { index: 1, name: "p", kind: "uniform", anyFloat: false },
    ]);
    expect(read.params).toEqual([
      { name: "n", type: "u32" },
      { name: "offset", type: "i32" },
      { name: "scale", type: "f32" },
    ]);
  });

  test("needs neither bindings nor parameters", () => {
    expect(kernel("empty", "fn main() {}")).toMatchObject({ bindings: [], params: [] });
  });

  test.each([
    "@group(0) @binding(1) var<storage> y: array<f32>;",
    "@binding(1) @group(0) var<storage, read> y: array<f32>;",
    "@group(1) @binding(1) var<storage, read> y: array<f32>;",
  ])("refuses a buffer that would be overlooked: %s", (line) => {
    const x = "@group(0) @binding(0) var<storage, read> x: array<f32>;";
    expect(() => kernel("demo", `${x}\n${line}`)).toThrow(
      "Kernel demo: of 2 buffers, 1 are declared in the form that is read here: " +
        '"@group(0) @binding(0) var<storage, read> x: array<f32>;"',
    );
    expect(kernel("demo", `${x}\n// ${line}`).bindings.length).toBe(1);
  });

  test.each(["vec2f", "vec2<u32>", "bool", "Other"])("refuses a parameter of type %s", (type) => {
    expect(() => kernel("demo", `struct Params { size: u32, v: ${type} }`)).toThrow(
      `Kernel demo: parameter v is a ${type}; only u32, i32 and f32 are allowed in Params.`,
    );
  });
});

describe("packParams", () => {
  const k = kernel("demo", "struct Params { n: u32, i: i32, f: f32, last: u32, more: f32 }");
  const good = { n: 7, i: -2, f: 0.1, last: 2 ** 32 - 1, more: -0 };

  test("lays the fields out in the struct's order, whatever the order of the values", () => {
    const words = packParams(k, Object.fromEntries(Object.entries(good).reverse()));
    const view = new DataView(words.buffer);
    expect(words.length).toBe(5);
    expect([view.getUint32(0, true), view.getInt32(4, true), view.getUint32(12, true)]).toEqual([
      7,
      -2,
      2 ** 32 - 1,
    ]);
    expect([view.getFloat32(8, true), view.getFloat32(16, true)]).toEqual([Math.fround(0.1), -0]);
  });

  test("fills up to 16 bytes, the smallest uniform", () => {
    expect([...packParams(kernel("one", "struct Params { n: u32 }"), { n: 3 })]).toEqual([3, 0, 0, 0]);
  });

  test("lets floats be infinite", () => {
    const words = packParams(k, { ...good, f: Number.POSITIVE_INFINITY });
    expect(new Float32Array(words.buffer)[2]).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    [{ n: undefined }, "parameter n is missing"],
    [{ n: 1.5 }, "parameter n must be a u32, got 1.5"],
    [{ n: -1 }, "parameter n must be a u32, got -1"],
    [{ n: 2 ** 32 }, "parameter n must be a u32, got 4294967296"],
    [{ n: Number.NaN }, "parameter n must be a u32, got NaN"],
    [{ i: 2 ** 31 }, "parameter i must be a i32, got 2147483648"],
    [{ i: -(2 ** 31) - 1 }, "parameter i must be a i32, got -2147483649"],
    [{ width: 3 }, "there is no parameter width in its Params"],
  ])("refuses %o", (change, message) => {
    const values = { ...good, ...change } as Record<string, number>;
    expect(() => packParams(k, values)).toThrow(`Kernel demo: ${message}`);
  });
});

describe("wgslSource", () => {
  /** The source with all white space as single spaces. */
  const source = (body: string, specialization?: Parameters<typeof wgslSource>[1]) =>
    wgslSource(kernel("demo", body), specialization).replace(/\s+/g, " ").trim();

  test("puts extensions first, then constants, then functions, then the body", () => {
    const text = wgslSource(kernel("demo", "fn main() {}"), {
      functions: "fn f(x: f32) -> f32 { return x; }",
      constants: { TILE: 8, SHIFT: -1.5 },
      enable: ["subgroups", "f16"],
    });
    expect(text.split("\n")).toEqual([
      "enable subgroups;",
      "enable f16;",
      "const TILE = 8;",
      "const SHIFT = -1.5;",
      "fn f(x: f32) -> f32 { return x; }",
      "fn main() {}",
    ]);
  });

  test("says what `element` is where a buffer is declared with it", () => {
    const body = "@group(0) @binding(0) var<storage, read> x: array<element>;";
    expect(source(body)).toBe(`alias element = f32; alias element4 = vec4<f32>; ${body}`);
    expect(source(body, { element: "f16", enable: ["subgroups"] })).toBe(
      `enable f16; enable subgroups; alias element = f16; alias element4 = vec4<f16>; ${body}`,
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("refuses the constant %s", (value) => {
    expect(() => source("", { constants: { A: value } })).toThrow(
      `wgslSource: the constant A must be a finite number, got ${value}.`,
    );
  });

  test("writes out a marked loop as often as the constant says", () => {
    const body = "for (var i = 0; i < N; i++) { // @unroll\n  sums[i] += x[at + i];\n}\nreturn;";
    expect(source(body, { constants: { N: 3 } })).toBe(
      "const N = 3; { sums[0] += x[at + 0]; } { sums[1] += x[at + 1]; } { sums[2] += x[at + 2]; } return;",
    );
    expect(source(body, { constants: { N: 0 } })).toBe("const N = 0; return;");
  });

  test("takes a number as the bound", () => {
    expect(source("for (var i = 0; i < 2; i++) { // @unroll\n  f(i);\n}")).toBe("{ f(0); } { f(1); }");
  });

  test("writes out nested loops, and blocks inside", () => {
    const body =
      "for (var o = 0; o < N; o++) { // @unroll\n  if (o > 0) {\n    g(o);\n  }\n" +
      "  for (var i = 0; i < M; i++) { // @unroll\n    s[o * M + i] = i;\n  }\n  h(o);\n}";
    const want = [0, 1].map(
      (o) => `{ if (${o} > 0) { g(${o}); } { s[${o} * M + 0] = 0; } { s[${o} * M + 1] = 1; } h(${o}); }`,
    );
    expect(source(body, { constants: { N: 2, M: 2 } })).toBe(`const N = 2; const M = 2; ${want.join(" ")}`);
  });

  test("writes out loops one after the other", () => {
    const loop = (f: string) => `for (var i = 0; i < 2; i++) { // @unroll\n  ${f}(i);\n}\n`;
    expect(source(loop("f") + loop("g"))).toBe("{ f(0); } { f(1); } { g(0); } { g(1); }");
  });

  test("replaces the variable, and neither a field nor a longer name that contains it", () => {
    const body = "for (var i = 0; i < 1; i++) { // @unroll\n  p.i + ii + i32(i) + v.i + i_i + i;\n}";
    expect(source(body)).toBe("{ p.i + ii + i32(0) + v.i + i_i + 0; }");
  });

  test("leaves loops without a mark alone", () => {
    const body = "for (var i = 0; i < N; i++) { f(i); }";
    expect(source(body, { constants: { N: 2 } })).toBe(`const N = 2; ${body}`);
  });

  test("refuses a bound that the prelude does not have", () => {
    expect(() => source("for (var i = 0; i < N; i++) { // @unroll\n}", { constants: { M: 2 } })).toThrow(
      "Kernel demo: the loop over i is to be unrolled N times, and the prelude has no N.",
    );
  });

  test("keeps one of two marked pieces, as a constant says", () => {
    const body =
      "a();\n  // @if LANES\n  b();\n  // @else\n  c();\n  // @end\nd();\n// @if LANES\ne();\n// @end\nf();\n";
    expect(source(body, { constants: { LANES: 8 } })).toBe("const LANES = 8; a(); b(); d(); e(); f();");
    expect(source(body, { constants: { LANES: 0 } })).toBe("const LANES = 0; a(); c(); d(); f();");
    expect(() => source(body)).toThrow(
      'Kernel demo: "@if LANES" asks for a constant that the prelude lacks.',
    );
    expect(() => source("// @if A\nb();\n", { constants: { A: 1 } })).toThrow('needs its "// @end"');
  });

  test.each([
    [1, 1, "a(); b(); e(); g();"],
    [1, 0, "a(); c(); e(); g();"],
    [0, 1, "f(); g();"],
  ])("keeps a piece of a piece: OUTER %i, INNER %i", (OUTER, INNER, kept) => {
    const body = [
      ...["// @if OUTER", "a();", "// @if INNER", "b();", "// @else", "c();", "// @end", "e();"],
      ...["// @else", "f();", "// @end", "g();", ""],
    ].join("\n");
    expect(source(body, { constants: { OUTER, INNER } })).toBe(
      `const OUTER = ${OUTER}; const INNER = ${INNER}; ${kept}`,
    );
  });

  test.each([
    "for (var i = 0u; i < 2; i++) { // @unroll\n  f(i);\n}",
    "for (var i = 1; i < 2; i++) { // @unroll\n  f(i);\n}",
    "for (var i = 0; i <= 2; i++) {  // @unroll\n  f(i);\n}",
    "for (var i = 0; i < 2; i++) { // @unroll\n  f(i); }",
    "  for (var i = 0; i < 2; i++) { // @unroll\n    f(i);\n}",
  ])("refuses a marked loop of another form: %s", (body) => {
    expect(() => source(body)).toThrow("Kernel demo: a loop marked @unroll would stay a loop");
  });

  describe("@registers", () => {
    const array = "var s: array<vec4f, N>; // @registers\n";

    test("makes variables of an array, whose indices are computed as WGSL computes them", () => {
      const body = `${array}f(s[0], s[N - 1], s[(N + 2) / 2 * 2 - N % 2 - 2].x);`;
      expect(source(body, { constants: { N: 3 } })).toBe(
        "const N = 3; var s_0: vec4f; var s_1: vec4f; var s_2: vec4f; f(s_0, s_2, s_1.x);",
      );
    });

    test("after loops are written out, and with indices in indices", () => {
      const body = `${array}for (var i = 0; i < N; i++) { // @unroll\n  other[s[i]] = sums[s[i * 1]];\n}`;
      expect(source(body, { constants: { N: 2 } })).toBe(
        "const N = 2; var s_0: vec4f; var s_1: vec4f; { other[s_0] = sums[s_0]; } { other[s_1] = sums[s_1]; }",
      );
    });

    test.each([
      "var s: array<f32, N + 1>; // @registers",
      "var s: array<f32, N>;  // @registers",
      "var s: array<f32, N>; var t: f32; // @registers",
    ])("refuses the declaration %s", (declaration) => {
      expect(() => source(declaration, { constants: { N: 2 } })).toThrow(
        "Kernel demo: an array marked @registers would stay an array",
      );
    });

    test("refuses a size that the prelude lacks", () => {
      expect(() => source(array, { constants: { M: 2 } })).toThrow(
        "Kernel demo: s is to be in registers, and its size N is neither a number nor a constant",
      );
    });

    test.each(["i", "2u", "1 +", "(1", "M", "1.5", "2", "N"])("refuses the index %s", (index) => {
      expect(() => source(`${array}f(s[${index}]);`, { constants: { N: 2 } })).toThrow(
        `Kernel demo: s is to be in registers, and its index "${index}" is not a number from 0 to 1`,
      );
    });
  });
});

describe("linearGrid", () => {
  test.each([
    [1, 64, [1]],
    [64, 64, [1]],
    [65, 64, [2]],
    [MAX_GRID * 64, 64, [MAX_GRID]],
    [MAX_GRID * 64 + 1, 64, [32768, 2]],
  ])("%i threads by %i", (threads, workgroup, grid) => {
    expect(linearGrid(threads, workgroup)).toEqual(grid);
  });

  test("covers all threads within the limit of each axis, with at most a row of groups to spare", () => {
    for (const threads of [2 ** 22, 2 ** 26 + 1, 2 ** 29 - 1, 2 ** 30 + 12345]) {
      for (const workgroup of [1, 64]) {
        const [x, y = 1] = linearGrid(threads, workgroup);
        const groups = Math.ceil(threads / workgroup);
        expect(Math.max(x, y)).toBeLessThanOrEqual(MAX_GRID);
        expect(x * y).toBeGreaterThanOrEqual(groups);
        expect(x * y - groups).toBeLessThan(y);
      }
    }
  });
});
