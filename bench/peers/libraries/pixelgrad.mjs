/** This library, from dist/. Layout [n, c, h, w]. */
import {
  Adam,
  backward,
  conv2d,
  EDSR,
  init,
  interpolate,
  l1Loss,
  noGrad,
  reshape,
  scope,
  slice,
  tensor,
} from "../../../dist/node.js";

export async function prepare(workload, { adapter }) {
  const device = await init({ adapter });
  const { x, w, dy, target, parameters } = workload.data();
  const upload = (array, options) => tensor(array.data, array.shape, options);
  const input = upload(x);

  /** `compute` makes a tensor; reading one element waits for it, as in the peers. Then all is freed. */
  const stepOf = (compute) => async (read) => {
    const round = scope();
    try {
      const y = compute();
      return await (read ? y : slice(reshape(y, [-1]), [0], [1])).data();
    } finally {
      round.end();
    }
  };
  const withoutGradients = (compute) => () => {
    const pause = noGrad();
    try {
      return compute();
    } finally {
      pause[Symbol.dispose]();
    }
  };

  let compute;
  if (workload.kind === "conv") {
    const weight = upload(w);
    compute = () => conv2d(input, weight, undefined, { padding: workload.pad });
  } else if (workload.kind === "conv-dx" || workload.kind === "conv-dw") {
    // The gradient rule alone, as `backward` calls it.
    const weight = upload(w);
    input.requiresGrad = true;
    weight.requiresGrad = true;
    const y = conv2d(input, weight, undefined, { padding: workload.pad });
    const gradient = upload(dy);
    const name = workload.kind === "conv-dx" ? "x" : "w";
    compute = withoutGradients(() => {
      const rule = y.node.backward(gradient)[name];
      return typeof rule === "object" ? rule.plus() : rule();
    });
  } else if (workload.kind === "resize") {
    compute = () => interpolate(input, { scaleFactor: 2, mode: workload.mode });
  } else {
    const model = loadEdsr(workload.net, parameters);
    if (workload.kind === "edsr") compute = withoutGradients(() => model.forward(input));
    else {
      const wanted = upload(target);
      const { lr, beta1, beta2, eps } = workload.adam;
      const adam = new Adam(model.parameters(), { lr, betas: [beta1, beta2], eps });
      const [first] = model.parameters();
      // As in the other libraries, the loss is computed, but read only on request.
      return {
        adapter: device.gpu.adapterInfo.description,
        step: (read) =>
          stepOf(() => {
            const loss = l1Loss(model.forward(input), wanted);
            adam.step(backward(loss));
            return read ? loss : first;
          })(read),
      };
    }
  }
  return { adapter: device.gpu.adapterInfo.description, step: stepOf(compute) };
}

/**
 * With mean 0 and range 1 the model is the same function as the peers'. It still computes its mean shifts
 * (two 1x1 convolutions of three channels) and multiplications by 1, which the peers' networks lack.
 */
function loadEdsr({ blocks, channels }, parameters) {
  const model = new EDSR({ scale: 2, blocks, channels, rgbMean: [0, 0, 0], rgbRange: 1 });
  const own = model.namedTensors();
  const names = { head: "head.0", body: `body.${blocks}`, up: "tail.0.0", tail: "tail.1" };
  for (const [key, { data }] of Object.entries(parameters)) {
    const [, layer, kind] = /^(.*)\.([wb])$/.exec(key);
    const [, block, conv] = /^block(\d+)\.(\d)$/.exec(layer) ?? [];
    const name = block === undefined ? names[layer] : `body.${block}.body.${conv === "1" ? 0 : 2}`;
    own.get(`${name}.${kind === "w" ? "weight" : "bias"}`).assign(data);
  }
  return model;
}
