import { aText, checkArguments } from "../../options/arguments.ts";

const KEEP_NAN = /* wgsl */ `
// y, or x if that is NaN. The question is put to the bits, and the answer chosen among bits: compilers
// assume that floats are numbers, fold x != x away, and make a max out of select(x, 0.0, x <= 0.0).
fn keep_nan(x: f32, y: f32) -> f32 {
  let bits = bitcast<u32>(x);
  return bitcast<f32>(select(bitcast<u32>(y), bits, (bits & 0x7fffffffu) > 0x7f800000u));
}
`;

/** Reads `p.size`, a field, never 0, of the kernel's `Params`; so do `power`, `logarithm` and `sine`, which call it. */
const NOT_A_NUMBER = /* wgsl */ `
// From bits that the compiler cannot know: a NaN that it sees, it may refuse or fold away.
fn not_a_number() -> f32 { return bitcast<f32>(0x7fc00000u + u32(p.size == 0)); }
`;

/**
 * Math.log(x) for x > 0. WGSL's own may be wrong by 5e-7, which is all of the result where x is nearly 1; there,
 * x - 1 is exact, and the series of 2 artanh((x - 1) / (x + 1)) is short.
 */
const NATURAL_LOG = /* wgsl */ `
fn natural_log(x: f32) -> f32 {
  let d = x - 1.0;
  let s = d / (2.0 + d);
  let t = s * s;
  let near = 2.0 * s * (1.0 + t * (0.333333333 + t * (0.2 + t * (0.142857143 + t * 0.111111111))));
  return select(log(x), near, abs(d) < 0.3);
}
`;

/**
 * Math.tanh(x). WGSL's own may be wrong by 1e-5, or overflow; e^x - e^-x has nothing left of a small x. Below
 * 0.625, Cephes' polynomial has a relative error of 1e-7 or less.
 */
const HYPERBOLIC_TANGENT = /* wgsl */ `
fn hyperbolic_tangent(x: f32) -> f32 {
  let z = clamp(x, -15.0, 15.0); // beyond, the result is 1 in f32
  let s = z * z;
  let small = z + z * s * (-0.333332819422 + s * (0.133314422036 + s * (-0.0537397155531 +
    s * (0.0206390887954 - s * 0.00570498872745))));
  let size = 1.0 - 2.0 / (exp(2.0 * abs(z)) + 1.0);
  return keep_nan(x, select(select(-size, size, z > 0.0), small, abs(z) < 0.625));
}
`;

/**
 * x ** e for numbers, as PyTorch and IEEE 754 have it: 1 to any power, NaN included, and (-1) ** Infinity are 1, where
 * JavaScript has NaN.
 */
export function power(x: number, e: number): number {
  return x === 1 || (x === -1 && Math.abs(e) === Infinity) ? 1 : x ** e;
}

/**
 * `power` in WGSL, and Math.log(x). WGSL's pow is undefined for negative x, even with whole exponents, and
 * where its log is undefined, drivers disagree. WGSL may also drop the sign of a zero, so signs are bits here.
 */
const POWERS = /* wgsl */ `
fn power(x: f32, e: f32) -> f32 {
  if (e == 0.0 || x == 1.0) { return 1.0; }
  let of_zero = select(0.0, 1.0 / abs(x), e < 0.0); // WGSL cannot write infinity
  let of_others = select(pow(abs(x), e), 1.0, abs(x) == 1.0); // also for infinite e
  let size = keep_nan(e, keep_nan(x, select(of_others, of_zero, x == 0.0)));
  let sign = bitcast<u32>(x) & 0x80000000u;
  if (sign == 0) { return size; }
  let whole = floor(e) == e;
  let is_finite = (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u;
  if (!whole && is_finite && x < 0.0) { return not_a_number(); } // a fractional power of x < 0 is not real
  let odd = whole && floor(e * 0.5) * 2.0 != e;
  return bitcast<f32>(bitcast<u32>(size) ^ select(0u, sign, odd));
}

fn logarithm(x: f32) -> f32 {
  if (x > 0.0) { return natural_log(x); }
  return select(not_a_number(), -1.0 / abs(x), x == 0.0);
}
`;

/** keep_nan for each of four numbers. */
const KEEP_NANS = /* wgsl */ `
fn keep_nans(x: vec4f, y: vec4f) -> vec4f {
  return vec4f(keep_nan(x.x, y.x), keep_nan(x.y, y.y), keep_nan(x.z, y.z), keep_nan(x.w, y.w));
}
`;

/** False where an operand is NaN, for comparisons: compilers assume that a < b or a >= b. */
const ORDERED = /* wgsl */ `
fn ordered(a: f32, b: f32) -> bool {
  let sizes = vec2u(bitcast<u32>(a), bitcast<u32>(b)) & vec2u(0x7fffffffu);
  return max(sizes.x, sizes.y) <= 0x7f800000u;
}
`;

const LOGISTIC = /* wgsl */ `
fn logistic(x: f32) -> f32 { return keep_nan(x, 1.0 / (1.0 + exp(-x))); }
`;

/** logistic(x) - 1/2, which is odd, and near 0 has the digits that this difference would lose. */
const CENTERED_LOGISTIC = /* wgsl */ `
fn centered_logistic(x: f32) -> f32 { return 0.5 * hyperbolic_tangent(0.5 * x); }
`;

/**
 * The normal distribution, for GELU. Its tail Q(z), z >= 0, is e^(-z²/2) times a function that falls slowly
 * from 1/2; divided by t = 1 / (1 + 0.31 z), that is smooth and nearly flat. The polynomial in t interpolates
 * it at eight Chebyshev nodes, with a relative error below 2e-7 everywhere: so small results are exact, too.
 */
const NORMAL = /* wgsl */ `
// The probability of a number below x.
fn normal_cdf(x: f32) -> f32 {
  let z = min(abs(x), 13.0); // what lies beyond is below f32's smallest normal number, and z² must not overflow
  let t = 1.0 / (1.0 + 0.31 * z);
  let polynomial = 0.12365346 + t * (0.124113461 + t * (0.107444772 + t * (0.111152957 +
    t * (-0.0167891133 + t * (0.157011269 + t * (-0.142668505 + t * 0.0360817782))))));
  let tail = select(t * polynomial * exp(-0.5 * z * z), 0.0, abs(x) >= 13.0);
  return keep_nan(x, select(tail, 1.0 - tail, x > 0.0));
}

fn normal_density(x: f32) -> f32 {
  let z = min(abs(x), 13.0);
  return select(0.3989422804 * exp(-0.5 * z * z), 0.0, abs(x) >= 13.0);
}
`;

/** The normal distribution in the older formula of GELU: a tanh, which is a sigmoid of twice the number. */
const TANH_CDF = /* wgsl */ `
fn tanh_cdf(x: f32) -> f32 {
  let z = clamp(x, -13.0, 13.0);
  return keep_nan(x, logistic(1.5957691216 * (z + 0.044715 * z * z * z)));
}

fn tanh_cdf_slope(x: f32) -> f32 {
  let z = clamp(x, -13.0, 13.0);
  let value = tanh_cdf(x);
  return 1.5957691216 * (1.0 + 0.134145 * z * z) * value * (1.0 - value);
}
`;

/**
 * sin(x + n π / 2). WGSL's own sin may be wrong by 5e-4. From x, a whole number of right angles is taken, in three
 * parts of which the first are exact for |x| up to some thousands; Cephes' polynomials do the rest. Farther out the
 * clamp keeps what is left within the polynomials' range. Infinity has no sine, and of infinity the clamp would make
 * a number.
 */
const SINE = /* wgsl */ `
fn sine(x: f32, n: i32) -> f32 {
  let k = round(x * 0.636619772);
  let rest = ((x - k * 1.5703125) - k * 4.837512969970703e-4) - k * 7.549789954891882e-8;
  let r = clamp(rest, -0.785398163, 0.785398163);
  let s = r * r;
  let odd = r + r * s * (-0.166666546 + s * (0.00833216087 - s * 0.000195152959));
  let even = 1.0 - 0.5 * s + s * s * (0.0416666457 + s * (-0.00138873163 + s * 0.0000244331571));
  let quarter = i32(k) + n;
  let size = select(odd, even, (quarter & 1) != 0);
  let is_finite = (bitcast<u32>(x) & 0x7fffffffu) < 0x7f800000u;
  return select(not_a_number(), select(size, -size, (quarter & 2) != 0), is_finite);
}
`;

/** log(1 + e^x). Of log(1 + t), t <= 1, the series of 2 artanh(t / (2 + t)) keeps the digits of a small t. */
const SOFTPLUS = /* wgsl */ `
fn softplus(x: f32) -> f32 {
  let t = exp(-abs(x));
  let s = t / (2.0 + t);
  let q = s * s;
  let series = 1.0 + q * (0.333333333 + q * (0.2 + q * (0.142857143 + q * (0.111111111 + q * (0.0909090909 +
    q * (0.0769230769 + q * 0.0666666667))))));
  return keep_nan(x, max(x, 0.0) + 2.0 * s * series);
}
`;

/** e^x - 1 for x <= 0, as 2 t / (1 - t), t = tanh(x / 2), which keeps the digits of a small x. */
const EXP_MINUS_1 = /* wgsl */ `
fn exp_minus_1(x: f32) -> f32 {
  let t = hyperbolic_tangent(0.5 * min(x, 0.0));
  return keep_nan(x, 2.0 * t / (1.0 - t));
}
`;

/** The functions that rules may call, each after those that it calls itself. */
const helpers: readonly { readonly names: RegExp; readonly wgsl: string }[] = [
  { names: /\bkeep_nan\(/, wgsl: KEEP_NAN },
  { names: /\bkeep_nans\(/, wgsl: KEEP_NANS },
  { names: /\bnot_a_number\(/, wgsl: NOT_A_NUMBER },
  { names: /\bnatural_log\(/, wgsl: NATURAL_LOG },
  { names: /\b(power|logarithm)\(/, wgsl: POWERS },
  { names: /\bordered\(/, wgsl: ORDERED },
  { names: /\bhyperbolic_tangent\(/, wgsl: HYPERBOLIC_TANGENT },
  { names: /\bexp_minus_1\(/, wgsl: EXP_MINUS_1 },
  { names: /\bsine\(/, wgsl: SINE },
  { names: /\bsoftplus\(/, wgsl: SOFTPLUS },
  { names: /\bcentered_logistic\(/, wgsl: CENTERED_LOGISTIC },
  { names: /\blogistic\(/, wgsl: LOGISTIC },
  { names: /\btanh_cdf(_slope)?\(/, wgsl: TANH_CDF },
  { names: /\bnormal_(cdf|density)\(/, wgsl: NORMAL },
];

/** A function's WGSL, after the helpers that it calls, and those that they call. */
export function withHelpers(wgsl: string): string {
  checkArguments("withHelpers", { wgsl: [wgsl, aText] });
  return helpers.reduceRight((whole, { names, wgsl }) => (names.test(whole) ? wgsl + whole : whole), wgsl);
}
