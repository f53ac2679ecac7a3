/** TensorFlow.js on its WebGPU backend. Layout [n, h, w, c], its fastest. */
import { numel, permute } from "../workloads.mjs";
import { installWebGPU } from "./webgpu.mjs";

export async function prepare(workload, { busyWait }) {
  if (workload.kind === "resize" && workload.mode !== "bilinear") {
    return { unsupported: "it resizes by nearest neighbour and bilinearly only" };
  }
  const adapter = await installWebGPU({ busyWait });
  // The whole package: tfjs-core alone has no gradients registered in Node.
  const { default: tf } = await import("@tensorflow/tfjs");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs did not accept its WebGPU backend.");
  await tf.ready();

  const upload = ({ shape, data }) => tf.tensor(data, shape);
  const picture = (array) => upload(permute(array, [0, 2, 3, 1]));
  const filter = (array) => upload(permute(array, [2, 3, 1, 0]));
  const { x, w, dy, target, parameters } = workload.data();
  const input = picture(x);

  /** `compute` makes a tensor; reading one element waits for it. `order` restores our order of axes. */
  const stepOf = (compute, order) => async (read) => {
    const y = tf.tidy(compute);
    if (!read) await readOne(y);
    const values = read && permute({ shape: y.shape, data: await y.data() }, order).data;
    y.dispose();
    return values;
  };
  const readOne = async (y) => {
    const one = tf.tidy(() => tf.slice(tf.reshape(y, [-1]), [0], [1]));
    await one.data();
    one.dispose();
  };
  const back = [0, 3, 1, 2];

  if (workload.kind === "resize") {
    const { shape } = input;
    const size = [2 * shape[1], 2 * shape[2]];
    return { adapter, step: stepOf(() => tf.image.resizeBilinear(input, size, false, true), back) };
  }
  if (workload.kind === "conv") {
    const weight = filter(w);
    return { adapter, step: stepOf(() => tf.conv2d(input, weight, 1, "same"), back) };
  }
  if (workload.kind.startsWith("conv-")) {
    // The kernels that tf.grad runs.
    const tensors = { x: input, filter: filter(w), dy: picture(dy) };
    const options = { strides: [1, 1], pad: "same", dataFormat: "NHWC" };
    const run = (kernel, inputs, more) => tf.engine().runKernel(kernel, inputs, { ...options, ...more });
    const { filter: f, dy: g } = tensors;
    return {
      adapter,
      step:
        workload.kind === "conv-dx"
          ? stepOf(() => run("Conv2DBackpropInput", { dy: g, filter: f }, { inputShape: input.shape }), back)
          : stepOf(
              () => run("Conv2DBackpropFilter", { x: input, dy: g }, { filterShape: f.shape }),
              [3, 2, 0, 1],
            ),
    };
  }

  // EDSR. depthToSpace wants the channels of `up` as (row, column, channel), unlike PixelShuffle.
  const { net } = workload;
  const p = {};
  for (const [name, array] of Object.entries(parameters)) {
    const { shape, data } = name.startsWith("up.") ? depthToSpaceOrder(array, net.channels) : array;
    const value = shape.length === 4 ? filter({ shape, data }) : upload({ shape, data });
    p[name] = tf.variable(value, true, name);
  }
  const conv = (y, layer, activation = "linear") =>
    tf.fused.conv2d({
      x: y,
      filter: p[`${layer}.w`],
      bias: p[`${layer}.b`],
      strides: 1,
      pad: "same",
      activation,
    });
  const shuffle = (y) => {
    if (workload.kind === "edsr") return tf.depthToSpace(y, 2, "NHWC");
    // depthToSpace has no gradient.
    const [n, h, wide] = y.shape;
    const cells = tf.transpose(tf.reshape(y, [n, h, wide, 2, 2, net.channels]), [0, 1, 3, 2, 4, 5]);
    return tf.reshape(cells, [n, 2 * h, 2 * wide, net.channels]);
  };
  const model = () => {
    const head = conv(input, "head");
    let y = head;
    for (let b = 0; b < net.blocks; b++) {
      y = tf.add(y, conv(conv(y, `block${b}.1`, "relu"), `block${b}.2`));
    }
    return conv(shuffle(conv(tf.add(head, conv(y, "body")), "up")), "tail");
  };
  if (workload.kind === "edsr") return { adapter, step: stepOf(model, back) };

  const wanted = picture(target);
  const { lr, beta1, beta2, eps } = workload.adam;
  const adam = tf.train.adam(lr, beta1, beta2, eps);
  return {
    adapter,
    async step(read) {
      const loss = adam.minimize(() => tf.mean(tf.abs(tf.sub(model(), wanted))), read);
      if (!read) return readOne(p["head.w"]);
      const values = await loss.data();
      loss.dispose();
      return values;
    },
  };
}

function depthToSpaceOrder({ shape, data }, channels) {
  const inner = numel(shape.slice(1));
  return { shape, data: permute({ shape: [channels, 4, inner], data }, [1, 0, 2]).data };
}
