import { describe, expect, test } from "vitest";
import { recognizeCompact } from "../../src/models/compact.ts";
import { nameOfOther } from "../../src/models/other-networks.ts";
import { recognizeRRDBNet } from "../../src/models/rrdbnet.ts";
import { recognizeSpan } from "../../src/models/span.ts";
import { DataError } from "../../src/picture/errors.ts";

/** A few tensors of each, by the names in files of their authors. */
test.each([
  ["SwinIR", ["conv_first.weight", "layers.0.residual_group.blocks.0.norm1.weight", "conv_last.weight"]],
  ["Swin2SR", ["patch_embed.proj.weight", "layers.0.residual_group.blocks.0.attn.logit_scale"]],
  [
    "HAT",
    [
      "layers.0.residual_group.blocks.0.norm1.weight",
      "layers.0.residual_group.overlap_attn.relative_position_bias_table",
    ],
  ],
  ["DAT", ["before_RG.1.weight", "layers.0.blocks.0.attn.attns.0.rpe_biases", "norm.weight"]],
  ["RGT", ["before_RG.1.weight", "layers.0.blocks.0.gamma", "layers.0.blocks.0.attn.qkv.weight"]],
  ["OmniSR", ["residual_layer.0.residual_layer.0.layer.0.fn.0.weight", "input.weight", "up.0.weight"]],
  ["RealPLKSR", ["feats.0.weight", "feats.1.lk.conv.weight", "feats.1.norm.weight"]],
  ["PLKSR", ["feats.0.weight", "feats.1.lk.conv.weight", "feats.1.refine.weight"]],
  ["ATD", ["layers.0.residual_group.td", "layers.0.residual_group.layers.0.attn_atd.scale"]],
  ["DRCT", ["conv_first.weight", "layers.0.swin1.norm1.weight", "layers.0.adjust1.weight"]],
  ["RCAN", ["head.0.weight", "body.0.body.0.body.3.conv_du.0.weight", "tail.1.weight"]],
  [
    "SRFormer",
    ["conv_first.weight", "layers.0.residual_group.blocks.0.attn.aligned_relative_position_index"],
  ],
  [
    "MM-RealSR",
    ["conv_first.weight", "body.0.rdb1.conv1.weight", "am_list.0.fc.0.weight", "de_net.fc.weight"],
  ],
  ["DISP", ["conv_1.eval_conv.weight", "blocks.0._extern_conv_block.0.eval_conv.weight"]],
  ["MSRResNet (BasicSR's SRResNet)", ["conv_first.weight", "body.0.conv1.weight", "upconv1.weight"]],
  ["a network with batch normalization", ["layers.1.running_mean"]],
  ["a transformer", ["stage.0.attn.qkv.weight"]],
])("%s is known by name, and taken for none of ours", (name, keys) => {
  expect(nameOfOther(keys)).toBe(name);
  const state = new Map(keys.map((key) => [key, { shape: [1, 1, 1, 1], data: Float32Array.of(0) }]));
  for (const recognize of [recognizeCompact, recognizeSpan, recognizeRRDBNet]) {
    expect(recognize(state, "net.pth")).toBeUndefined();
  }
});

test("what is not known has no name", () => {
  expect(nameOfOther(["weight", "bias"])).toBeUndefined();
  expect(nameOfOther([])).toBeUndefined();
});

describe("relatives that this library does not run are refused with what they are", () => {
  const stateOf = (shapes: Record<string, readonly number[]>) =>
    new Map(
      Object.entries(shapes).map(([key, shape]) => {
        return [key, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }];
      }),
    );

  test("other channels", () => {
    const rgba = stateOf({
      "body.0.weight": [8, 4, 3, 3],
      "body.0.bias": [8],
      "body.1.weight": [8],
      "body.2.weight": [16, 8, 3, 3],
      "body.2.bias": [16],
    });
    expect(() => recognizeCompact(rgba, "net.pth")).toThrow(DataError);
    expect(() => recognizeCompact(rgba, "net.pth")).toThrow(
      /^net.pth: this is Compact from 4 channels to 16/,
    );
    const rrdbnet = stateOf({
      "conv_first.weight": [8, 4, 3, 3],
      "body.0.rdb1.conv1.weight": [4, 8, 3, 3],
      "conv_last.weight": [4, 8, 3, 3],
    });
    expect(() => recognizeRRDBNet(rrdbnet, "net.pth")).toThrow(/an RRDBNet from 4 channels to 4/);
    const unshuffled = new Map(rrdbnet).set("conv_first.weight", {
      shape: [8, 27, 3, 3],
      data: new Float32Array(8 * 27 * 9),
    });
    unshuffled.set("conv_last.weight", { shape: [3, 8, 3, 3], data: new Float32Array(216) });
    expect(() => recognizeRRDBNet(unshuffled, "net.pth")).toThrow(/from 27 channels to 3/);
  });

  test("branches of SPAN that do not fit each other", () => {
    const branches = (name: string, [o, c]: readonly [number, number]) => ({
      [`${name}.sk.weight`]: [o, c, 1, 1],
      [`${name}.sk.bias`]: [o],
      [`${name}.conv.0.weight`]: [2 * c, c, 1, 1],
      [`${name}.conv.0.bias`]: [2 * c],
      [`${name}.conv.1.weight`]: [2 * o, 2 * c, 3, 3],
      [`${name}.conv.1.bias`]: [2 * o],
      [`${name}.conv.2.weight`]: [o, 2 * o, 1, 1],
      [`${name}.conv.2.bias`]: [o],
    });
    const shapes = {
      ...branches("conv_1", [4, 3]),
      ...branches("block_1.c3_r", [4, 4]),
      "conv_cat.weight": [4, 16, 1, 1],
      "upsampler.0.weight": [12, 4, 3, 3],
    };
    expect(recognizeSpan(stateOf(shapes), "net.pth")?.metadata).toMatchObject({ scale: "2", channels: "4" });
    for (const [key, shape] of Object.entries({
      "conv_1.sk.weight": [0, 2 ** 40, 1, 1],
      "conv_1.sk.bias": [3],
      "block_1.c3_r.conv.0.weight": [8, 4],
      "block_1.c3_r.conv.1.weight": [8, 7, 3, 3],
      "block_1.c3_r.conv.2.weight": [4, 8, 3, 3],
    })) {
      const damaged = stateOf({ ...shapes, [key]: shape });
      expect(() => recognizeSpan(damaged, "net.pth"), key).toThrow(DataError);
      expect(() => recognizeSpan(damaged, "net.pth"), key).toThrow(/do not add up to one convolution/);
    }
    const { "conv_1.conv.2.bias": _, ...rest } = shapes as Record<string, readonly number[]>;
    expect(() => recognizeSpan(stateOf(rest), "net.pth")).toThrow(/^net.pth: the branches of conv_1 do not/);
  });

  test("positions in an ESRGAN that no file can have", () => {
    const odd = stateOf({
      "model.0.weight": [8, 3, 3, 3],
      "model.1.sub.0.RDB1.conv1.0.weight": [4, 8, 3, 3],
      "model.1.sub.1.weight": [8, 8, 3, 3],
      "model.3000000000001.weight": [3, 8, 3, 3],
    });
    expect(recognizeRRDBNet(odd, "net.pth")?.metadata).toMatchObject({ scale: "1" });
  });

  test("ESRGAN+", () => {
    const plus = stateOf({
      "model.0.weight": [8, 3, 3, 3],
      "model.1.sub.0.RDB1.conv1x1.weight": [8, 8, 1, 1],
      "model.1.sub.0.RDB1.conv1.0.weight": [4, 8, 3, 3],
    });
    expect(() => recognizeRRDBNet(plus, "net.pth")).toThrow(/this is ESRGAN\+/);
  });
});
