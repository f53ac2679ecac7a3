/** Networks in PyTorch's files: recognized by their tensors, and the same result as in PyTorch. */
import { describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { metadataOf, type RecognizedNetwork } from "../../src/models/architecture.ts";
import { recognizeCompact } from "../../src/models/compact.ts";
import { createModel, loadModel, readNetwork } from "../../src/models/registry.ts";
import { recognizeRRDBNet } from "../../src/models/rrdbnet.ts";
import { recognizeSpan } from "../../src/models/span.ts";
import type { State } from "../../src/models/state.ts";
import { recognizeWren } from "../../src/models/wren.ts";
import { tensor } from "../../src/tensor/create.ts";
import { noGrad } from "../../src/tensor/no-grad.ts";
import { scope } from "../../src/tensor/scope.ts";
import { serializePytorch } from "../../src/weights/pytorch-writer.ts";
import { expectClose } from "../support/close.ts";
import { float32Device, gpuDevices } from "../support/devices.ts";
import { type GoldenCase, readGolden } from "../support/golden.ts";
import { spread } from "../support/tier.ts";

const devices = [float32Device(), ...(await gpuDevices())];
const goldens = readGolden("networks").map((golden) => [golden.name, golden] as const);

const recognizers: Record<string, (state: State, file: { name: string }) => RecognizedNetwork | undefined> = {
  Compact: recognizeCompact,
  SPAN: recognizeSpan,
  RRDBNet: recognizeRRDBNet,
  Wren: recognizeWren,
};

function weightsOf({ arrays }: GoldenCase): State {
  return new Map(
    [...arrays].flatMap(([name, array]) => (name.startsWith("w/") ? [[name.slice(2), array]] : [])),
  );
}

describe.each(spread(goldens, 8))("%s", (_, golden) => {
  const { architecture, ...options } = golden.options as Record<string, string>;
  const state = weightsOf(golden);
  const { metadata, state: own, assumptions } = recognizers[architecture](state, { name: "net.pth" })!;

  test("is recognized, and by no other recognizer", () => {
    const known = { ...metadata };
    // Neither kind of ReLU has weights; which one it is, has to be said.
    const isSilent = options.activation === "relu" || options.activation === "leakyRelu";
    if (isSilent) known.activation = options.activation;
    const assumed = { activation: isSilent, normalize: String(options.normalize) === "true" };
    expect(assumptions.map(({ option }) => option)).toEqual(
      Object.entries(assumed).flatMap(([option, is]) => (is ? [option] : [])),
    );
    expect(known).toEqual(metadataOf(architecture, options));
    for (const [name, recognize] of Object.entries(recognizers)) {
      if (name !== architecture) expect(recognize(state, { name: "net.pth" })).toBeUndefined();
    }
  });

  test.each(["", "module.", "netG.module."])('from a file, with "%s" before names', async (prefix) => {
    setDefaultDevice(devices[0]);
    const file = serializePytorch(new Map([...state].map(([key, array]) => [prefix + key, array])));
    expect(readNetwork(file, "net.pth")).toEqual({ metadata, state: own, assumptions });
    const model = loadModel(file, "net.pth");
    const { no_norm: _, ...weights } = Object.fromEntries(await model.stateDict());
    expect(weights).toEqual(Object.fromEntries(own));
    model.dispose();
  });

  test.each(devices.map((device) => [device.name, device] as const))("on %s", async (_, device) => {
    setDefaultDevice(device);
    const model = createModel(metadataOf(architecture, options));
    model.loadStateDict(own);
    using _scope = scope();
    const [x, want] = [golden.arrays.get("x")!, golden.arrays.get("y")!];
    const picture = tensor(x.data, x.shape);
    const largest = want.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const bounds = { relative: 1e-5, absolute: 1e-5 * largest };
    // With a tape and without, other kernels run.
    const taped = model.forward(picture);
    expect(taped.shape).toEqual(want.shape);
    expectClose(await taped.data(), want.data, { ...bounds, label: "taped" });
    expectClose(await noGrad(() => model.forward(picture)).data(), want.data, bounds);
    model.dispose();
  });
});
