import { backward, init, linear, mseLoss, tensor } from "pixelgrad";

/** Numbers in one flat array, row after row. */
const [n, inputs, outputs] = [4, 3, 2];
const x = [1, 2, 3, 0, -1, 1, 2, 0, 1, -1, 1, 0]; // [n, inputs]
const w = [0.5, -1, 2, 1, 0, -0.5]; // [outputs, inputs]
const b = [0.1, -0.1]; // [outputs]
const target = [6, 0, 2, 0, 3, 1, -1, -1]; // [n, outputs]

// Where row i, column k of x is. Axes before the last are that much further apart.
console.log(`x[2, 1] is element ${2 * inputs + 1}: ${x[2 * inputs + 1]}`);

/** Calls `each` for every product that a linear layer sums: y[i, o] = b[o] + Σ_k x[i, k] w[o, k]. */
function visit(each: (atX: number, atW: number, atY: number) => void): void {
  for (let i = 0; i < n; i++) {
    for (let o = 0; o < outputs; o++) {
      for (let k = 0; k < inputs; k++) each(i * inputs + k, o * inputs + k, i * outputs + o);
    }
  }
}

// Forward: three loops.
const y = Array.from({ length: n * outputs }, (_, at) => b[at % outputs]);
visit((atX, atW, atY) => {
  y[atY] += x[atX] * w[atW];
});

// The loss is the mean of (y - target)², and its derivative by y[i, o] is 2 (y - target) / size.
const dy = y.map((value, at) => (2 * (value - target[at])) / y.length);

// Backward: the same loops, read the other way round.
const dw = w.map(() => 0);
const dx = x.map(() => 0);
const db = b.map(() => 0);
visit((atX, atW, atY) => {
  dw[atW] += dy[atY] * x[atX];
  dx[atX] += dy[atY] * w[atW];
});
// b was repeated for every row, so its gradient is the sum over the rows.
for (const [at, value] of dy.entries()) db[at % outputs] += value;

const text = (numbers: Iterable<number>) => [...numbers].map((value) => value.toFixed(3)).join(" ");
console.log(`dw by loops:     ${text(dw)}`);
console.log(`db by loops:     ${text(db)}`);

// The same with pixelgrad: one note on the tape for the whole layer.
await init();
const [weight, bias] = [
  tensor(w, [outputs, inputs], { requiresGrad: true }),
  tensor(b, { requiresGrad: true }),
];
const loss = mseLoss(linear(tensor(x, [n, inputs]), weight, bias), tensor(target, [n, outputs]));
const gradients = backward(loss);
console.log(`dw by pixelgrad: ${text(await gradients.get(weight)!.data())}`);
console.log(`db by pixelgrad: ${text(await gradients.get(bias)!.data())}`);
