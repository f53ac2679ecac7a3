/** jax-js on its WebGPU backend, compiled by its jit. Layout [n, c, h, w], as its convolution wants. */
import { installWebGPU } from "./webgpu.mjs";

export async function prepare(workload, { busyWait }) {
  if (workload.kind === "resize") return { unsupported: "it does not resize pictures" };
  const adapter = await installWebGPU({ busyWait });
  const { init, defaultDevice, numpy: np, lax, nn, jit, valueAndGrad, tree } = await import("@jax-js/jax");
  await init("webgpu");
  defaultDevice("webgpu");

  // Its functions consume their arguments; `.ref` keeps one for another use.
  const upload = ({ shape, data }) => np.array(data).reshape(shape);
  const { x, w, dy, target, parameters } = workload.data();
  const input = upload(x);
  /** Reading one element waits for the work. */
  const finish = (y, read) => (read ? y.data() : y.ravel().slice([0, 1]).data());
  const conv = (a, b, pad) =>
    lax.convGeneralDilated(
      a,
      b,
      [1, 1],
      [
        [pad, pad],
        [pad, pad],
      ],
    );

  if (workload.kind.startsWith("conv")) {
    const { pad } = workload;
    const swap = (a) => a.transpose([1, 0, 2, 3]);
    // As in its gradient rules: dy convolved with the mirrored filter, and x with dy as the filter.
    const [compute, a, b] = {
      conv: () => [(a, b) => conv(a, b, pad), x, w],
      "conv-dx": () => [(a, b) => conv(a, np.flip(swap(b), [2, 3]), pad), dy, w],
      "conv-dw": () => [(a, b) => swap(conv(swap(a), swap(b), pad)), x, dy],
    }[workload.kind]();
    const compiled = jit(compute);
    const [first, second] = [upload(a), upload(b)];
    return { adapter, step: (read) => finish(compiled(first.ref, second.ref), read) };
  }

  const { net } = workload;
  let p = Object.fromEntries(Object.entries(parameters).map(([name, array]) => [name, upload(array)]));
  const layer = (y, p, name) => np.add(conv(y, p[`${name}.w`], 1), p[`${name}.b`].reshape([1, -1, 1, 1]));
  const shuffle = (y) => {
    const [n, , h, wide] = y.shape;
    const cells = y.reshape([n, net.channels, 2, 2, h, wide]).transpose([0, 1, 4, 2, 5, 3]);
    return cells.reshape([n, net.channels, 2 * h, 2 * wide]);
  };
  const model = (p, input) => {
    const head = layer(input, p, "head");
    let y = head.ref;
    for (let b = 0; b < net.blocks; b++) {
      y = y.ref.add(layer(nn.relu(layer(y, p, `block${b}.1`)), p, `block${b}.2`));
    }
    return layer(shuffle(layer(head.add(layer(y, p, "body")), p, "up")), p, "tail");
  };
  if (workload.kind === "edsr") {
    const compiled = jit(model);
    return { adapter, step: (read) => finish(compiled(tree.ref(p), input.ref), read) };
  }

  // Its optimizers are in a package of their own. Adam is short; written out, it is compiled with the step.
  const wanted = upload(target);
  const { lr, beta1, beta2, eps } = workload.adam;
  const lossAndGradients = valueAndGrad((p, input, wanted) => np.abs(model(p, input).sub(wanted)).mean());
  const update = jit((p, m, v, correct1, correct2, input, wanted) => {
    const [loss, gradients] = lossAndGradients(tree.ref(p), input, wanted);
    const next = { p: {}, m: {}, v: {} };
    for (const name of Object.keys(p)) {
      next.m[name] = m[name].mul(beta1).add(gradients[name].ref.mul(1 - beta1));
      next.v[name] = v[name].mul(beta2).add(np.square(gradients[name]).mul(1 - beta2));
      const deviation = np.sqrt(next.v[name].ref.mul(correct2.ref)).add(eps);
      next.p[name] = p[name].sub(next.m[name].ref.mul(correct1.ref).div(deviation).mul(lr));
    }
    correct1.dispose();
    correct2.dispose();
    return [loss, next.p, next.m, next.v];
  });
  const zeros = () =>
    Object.fromEntries(Object.entries(p).map(([name, { shape }]) => [name, np.zeros(shape)]));
  let m = zeros();
  let v = zeros();
  let steps = 0;
  return {
    adapter,
    async step(read) {
      steps++;
      const correct = [beta1, beta2].map((beta) => np.array([1 / (1 - beta ** steps)]));
      let loss;
      [loss, p, m, v] = update(p, m, v, ...correct, input.ref, wanted.ref);
      if (read) return loss.data();
      loss.dispose();
      return finish(p["head.w"].ref, false);
    },
  };
}
