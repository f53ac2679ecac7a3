/** A number that remembers which numbers it was computed from, and how steeply it depends on each. */
class Value {
  grad = 0;
  readonly data: number;
  readonly from: [input: Value, slope: number][];
  constructor(data: number, from: [Value, number][] = []) {
    this.data = data;
    this.from = from;
    tape.push(this);
  }
}
let tape: Value[] = [];

const add = (a: Value, b: Value) =>
  new Value(a.data + b.data, [
    [a, 1],
    [b, 1],
  ]);
const mul = (a: Value, b: Value) =>
  new Value(a.data * b.data, [
    [a, b.data],
    [b, a.data],
  ]);

/** Sets the `grad` of every value on the tape to d loss / d value. */
function backward(loss: Value): void {
  loss.grad = 1;
  for (const value of [...tape].reverse()) {
    for (const [input, slope] of value.from) input.grad += slope * value.grad;
  }
}

/** (w * x + b - y)²: how wrong the line w * x + b is at a point (x, y). */
function errorAt(w: Value, b: Value, x: number, y: number): Value {
  const difference = add(add(mul(w, new Value(x)), b), new Value(-y));
  return mul(difference, difference);
}

// One point, and the two derivatives of its error.
const [w, b] = [new Value(0.5), new Value(1)];
const error = errorAt(w, b, 3, 4);
backward(error);
console.log(`error ${error.data}, d error / dw = ${w.grad}, d error / db = ${b.grad}`);

// The same derivative from its definition: how much the error changes if w changes a little.
const h = 1e-4;
const [above, below] = [0.5 + h, 0.5 - h].map((w) => errorAt(new Value(w), new Value(1), 3, 4).data);
console.log(`by a difference quotient: ${((above - below) / (2 * h)).toFixed(4)}`);

// Gradient descent: a line through three points of y = 2 x - 1, from the line y = 0.
const points = [0, 1, 2].map((x) => ({ x, y: 2 * x - 1 }));
const line = { w: 0, b: 0 };
for (let step = 0; step <= 200; step++) {
  tape = [];
  const [w, b] = [new Value(line.w), new Value(line.b)];
  const loss = points.map(({ x, y }) => errorAt(w, b, x, y)).reduce(add);
  backward(loss);
  line.w -= 0.05 * w.grad;
  line.b -= 0.05 * b.grad;
  if (step % 50 === 0) console.log(`step ${step}: loss ${loss.data.toFixed(6)}`);
}
console.log(`y = ${line.w.toFixed(3)} x + ${line.b.toFixed(3)}`);
