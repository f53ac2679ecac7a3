import { Adam, backward, init, mul, scope, sum, tensor } from "pixelgrad";

// A valley: a hundred times as steep in one direction as in the other.
const steepness = [100, 1];
const start = [1, 10];
const gradientAt = (at: number[]) => at.map((value, i) => steepness[i] * value);
const lossAt = (at: number[]) => at.reduce((loss, value, i) => loss + (steepness[i] * value ** 2) / 2, 0);

/** Gradient descent. With an lr above 2 / 100 it would leap out of the valley. */
function descent(steps: number, lr: number): number[] {
  const at = [...start];
  for (let t = 1; t <= steps; t++) {
    for (const [i, g] of gradientAt(at).entries()) at[i] -= lr * g;
  }
  return at;
}

/** Adam: the same steps, with gradients smoothed (m) and divided by their usual size (the root of v). */
function adam(steps: number, lr: number, [beta1, beta2] = [0.9, 0.999], eps = 1e-8): number[] {
  const at = [...start];
  const m = at.map(() => 0);
  const v = at.map(() => 0);
  for (let t = 1; t <= steps; t++) {
    for (const [i, g] of gradientAt(at).entries()) {
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      // m and v start at 0; these divisions undo the pull towards it.
      const mean = m[i] / (1 - beta1 ** t);
      const square = v[i] / (1 - beta2 ** t);
      at[i] -= (lr * mean) / (Math.sqrt(square) + eps);
    }
  }
  return at;
}

const show = (at: number[]) => {
  const [x, y] = at.map((value) => Number(value.toFixed(3)) + 0); // no -0
  return `(${x}, ${y}), loss ${lossAt(at).toFixed(3)}`;
};
console.log(`start: ${show(start)}`);
console.log(`Adam's first step, lr 0.1: ${show(adam(1, 0.1))}`);
for (const steps of [20, 200]) {
  console.log(`after ${steps} steps of descent, lr 0.015: ${show(descent(steps, 0.015))}`);
  console.log(`after ${steps} steps of Adam, lr 0.2: ${show(adam(steps, 0.2))}`);
}

// pixelgrad's Adam: one kernel changes all parameters at once.
await init();
const at = tensor(start, { requiresGrad: true });
const optimizer = new Adam([at], { lr: 0.2 });
const curvature = tensor(steepness);
for (let t = 1; t <= 20; t++) {
  scope(() => {
    const loss = mul(sum(mul(curvature, mul(at, at))), 0.5);
    optimizer.step(backward(loss));
  });
}
console.log(`pixelgrad's Adam, 20 steps: ${show([...(await at.data())])}`);
