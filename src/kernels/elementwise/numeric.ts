const KEEP_NAN = /* wgsl */ `
// y, or x if that is NaN. The question is put to the bits, and the answer chosen among bits: compilers
// assume that floats are numbers, fold x != x away, and make a max out of select(x, 0.0, x <= 0.0).
fn keep_nan(x: f32, y: f32) -> f32 {
  let bits = bitcast<u32>(x);
  return bitcast<f32>(select(bitcast<u32>(y), bits, (bits & 0x7fffffffu) > 0x7f800000u));
}
`;

/**
 * x ** e and Math.log(x), as JavaScript and PyTorch define them. WGSL's pow is undefined for negative x, even
 * with whole exponents, and where its log is undefined, drivers disagree.
 */
const POWERS = /* wgsl */ `
// From bits that the compiler cannot know: a NaN that it sees, it may refuse or fold away.
fn not_a_number() -> f32 { return bitcast<f32>(0x7fc00000u + u32(p.size == 0)); }

fn power(x: f32, e: f32) -> f32 {
  if (e == 0.0) { return 1.0; }
  if (x == 0.0) { return keep_nan(e, select(0.0, 1.0 / abs(x), e < 0.0)); } // WGSL cannot write infinity
  let size = keep_nan(e, keep_nan(x, pow(abs(x), e)));
  if (x > 0.0) { return size; }
  let whole = floor(e) == e;
  let odd = floor(e * 0.5) * 2.0 != e;
  return select(not_a_number(), select(size, -size, odd), whole); // a fractional power of x < 0 is not real
}

fn logarithm(x: f32) -> f32 {
  if (x > 0.0) { return log(x); }
  return select(not_a_number(), -1.0 / abs(x), x == 0.0);
}
`;

/** The same for each of four numbers. */
const KEEP_NANS = /* wgsl */ `
fn keep_nans(x: vec4f, y: vec4f) -> vec4f {
  return vec4f(keep_nan(x.x, y.x), keep_nan(x.y, y.y), keep_nan(x.z, y.z), keep_nan(x.w, y.w));
}
`;

/** A function's WGSL, after the helpers that it calls. */
export function withHelpers(wgsl: string): string {
  if (/\b(power|logarithm)\(/.test(wgsl)) return KEEP_NAN + POWERS + wgsl;
  if (/\bkeep_nans\(/.test(wgsl)) return KEEP_NAN + KEEP_NANS + wgsl;
  return /\bkeep_nan\(/.test(wgsl) ? KEEP_NAN + wgsl : wgsl;
}
