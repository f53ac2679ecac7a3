import { describe, expect, test } from "vitest";
import { readNetwork, serializePytorch } from "../../src/index.ts";
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
  [
    "AdaCode",
    [
      "multiscale_encoder.in_conv.weight",
      "weight_predictor.blocks.0.swin_blks.0.residual_group.blocks.0.norm1.weight",
      "weight_predictor.blocks.0.swin_blks.1.residual_group.blocks.2.attn.proj.bias",
      "after_quant_group.0.bias",
      "weight_predictor.blocks.0.swin_blks.0.residual_group.blocks.0.attn.qkv.weight",
    ],
  ],
  [
    "FeMaSR",
    [
      "multiscale_encoder.in_conv.weight",
      "decoder_group.0.block.2.conv.0.norm.weight",
      "after_quant_group.0.conv.bias",
    ],
  ],
  [
    "CodeFormer",
    [
      "position_emb",
      "fuse_convs_dict.32.encode_enc.norm1.weight",
      "generator.blocks.12.norm2.bias",
      "fuse_convs_dict.256.shift.2.bias",
    ],
  ],
  [
    "RestoreFormer",
    [
      "encoder.conv_in.weight",
      "encoder.down.0.block.0.norm1.weight",
      "decoder.up.0.block.0.conv1.weight",
      "post_quant_conv.bias",
    ],
  ],
  [
    "DDColor",
    [
      "mean",
      "decoder.color_decoder.transformer_self_attention_layers.0.self_attn.in_proj_weight",
      "encoder.arch.stages.2.25.norm.weight",
      "refine_net.0.0.weight_v",
      "decoder.layers.0.shuf.conv.1.running_mean",
    ],
  ],
  [
    "LaMa",
    [
      "model.model.1.ffc.convl2l.weight",
      "model.model.13.conv2.bn_g.bias",
      "model.model.34.bias",
      "model.model.1.bn_l.running_mean",
    ],
  ],
  [
    "MAT",
    [
      "model.synthesis.first_stage.conv_first.conv.weight",
      "model.synthesis.first_stage.tran.4.blocks.1.mlp.fc1.weight",
      "model.mapping.fc7.bias",
    ],
  ],
  [
    "MIRNet-v2",
    [
      "conv_in.weight",
      "body.0.body.0.dau_top.gcnet.conv_mask.weight",
      "body.2.body.0.dau_top.body.0.weight",
      "conv_out.weight",
      "body.0.body.0.skff_top.conv_du.0.weight",
    ],
  ],
  [
    "MPRNet",
    [
      "shallow_feat1.0.weight",
      "stage3_orsnet.orb1.body.0.CA.conv_du.0.weight",
      "stage2_decoder.decoder_level3.1.body.1.weight",
      "tail.weight",
      "shallow_feat1.1.CA.conv_du.0.weight",
    ],
  ],
  [
    "M3SNet",
    ["intro.weight", "middle.0.0.conv1.weight", "encoders.3.17.sca.1.weight", "middle_ups.4.0.weight"],
  ],
  [
    "KBNet",
    [
      "intro.weight",
      "encoders.0.0.attgamma",
      "middle_blks.2.norm1.weight",
      "downs.3.bias",
      "middle_blks.0.conv1.weight",
    ],
  ],
  [
    "FFTformer",
    [
      "patch_embed.proj.weight",
      "decoder_level3.0.attn.to_hidden_dw.weight",
      "decoder_level3.9.attn.to_hidden_dw.weight",
      "output.weight",
    ],
  ],
  [
    "Restormer",
    [
      "patch_embed.proj.weight",
      "encoder_level1.0.attn.qkv_dwconv.weight",
      "latent.6.norm1.body.bias",
      "output.weight",
      "encoder_level1.0.attn.qkv.weight",
    ],
  ],
  [
    "RetinexFormer",
    [
      "body.0.estimator.conv1.weight",
      "body.1.denoiser.bottleneck.blocks.0.0.proj.weight",
      "body.2.denoiser.mapping.weight",
    ],
  ],
  [
    "CIDNet",
    [
      "HVE_block0.1.weight",
      "HV_LCA1.gdfn.project_in.weight",
      "HV_LCA5.ffn.q_dwconv.weight",
      "trans.density_k",
    ],
  ],
  [
    "IPT",
    [
      "sub_mean.weight",
      "body.decoder.layers.0.self_attn.in_proj_weight",
      "body.decoder.layers.1.self_attn.out_proj.weight",
      "tail.0.1.bias",
    ],
  ],
  [
    "Uformer",
    [
      "input_proj.proj.0.weight",
      "encoderlayer_0.blocks.0.norm1.weight",
      "conv.blocks.0.mlp.linear2.0.weight",
      "decoderlayer_3.blocks.1.mlp.linear2.0.bias",
    ],
  ],
  [
    "DCTLSA",
    [
      "fea_conv.weight",
      "B1.body.0.transformer_body.0.blocks.0.attn.qkv.weight",
      "B4.body.0.transformer_body.0.blocks.0.attn.local.pointwise_prenorm_0.running_var",
      "upsampler.0.bias",
      "B1.body.0.transformer_body.0.blocks.0.attn.local.pointwise_prenorm_0.running_mean",
    ],
  ],
  [
    "MixDehazeNet",
    [
      "patch_embed.proj.weight",
      "patch_unembed.proj.0.weight",
      "fusion1.mlp.0.weight",
      "layer3.blocks.1.norm1.weight",
      "patch_unembed.proj.0.bias",
      "layer1.blocks.0.norm1.running_mean",
    ],
  ],
  [
    "SwiftSRGAN",
    [
      "initial.cnn.depthwise.weight",
      "residual.8.block2.cnn.depthwise.weight",
      "final_conv.pointwise.bias",
      "residual.0.block1.bn.running_mean",
    ],
  ],
  ["DnCNN", ["model.0.weight", "model.32.weight", "model.24.bias", "model.47.bias", "model.3.running_mean"]],
  [
    "NAFNet",
    [
      "intro.weight",
      "middle_blks.0.beta",
      "middle_blks.0.conv3.bias",
      "middle_blks.0.norm2.bias",
      "middle_blks.0.conv1.weight",
    ],
  ],
  [
    "GRL",
    [
      "conv_first.weight",
      "layers.0.blocks.0.attn.stripe_attn.attn_transform1.logit_scale",
      "layers.3.blocks.0.attn.qkv.body.bias",
      "conv_last.bias",
    ],
  ],
  [
    "SeemoRe",
    [
      "conv_1.weight",
      "body.0.local_block.block.moe_layer.experts.0.conv_1.weight",
      "body.3.local_block.block.conv_1.0.weight",
      "upsampler.0.bias",
    ],
  ],
  [
    "MoESR",
    [
      "in_to_dim.weight",
      "blocks.0.blocks.0.conv.dwconv_hw.weight",
      "blocks.4.blocks.3.conv.dwconv_h.weight",
      "upscale.0.bias",
    ],
  ],
  ["MoSR", ["gblocks.0.weight", "gblocks.13.fc2.weight", "upsampler.0.bias"]],
  [
    "FDAT",
    [
      "conv_first.weight",
      "groups.0.blocks.0.inter.cg.1.weight",
      "groups.2.blocks.0.n2.bias",
      "upsampler.3.bias",
      "groups.0.blocks.0.attn.qkv.weight",
    ],
  ],
  [
    "DITN",
    [
      "sft.weight",
      "UFONE.0.ITLs.0.attn.temperature",
      "UFONE.0.SALs.0.conv1.bias",
      "upsample.0.bias",
      "UFONE.0.ITLs.0.attn.qkv.weight",
    ],
  ],
  [
    "CRAFT",
    [
      "relative_position_index_h",
      "layers.0.residual_group.hf_blocks.0.norm1.body.weight",
      "layers.2.residual_group.srwa_blocks.0.norm1.weight",
      "upsample.0.bias",
    ],
  ],
  ["SAFMN", ["to_feat.weight", "feats.0.safm.mfr.0.weight", "feats.4.norm1.weight", "to_img.0.bias"]],
  [
    "SCUNet",
    [
      "m_head.0.weight",
      "m_body.0.trans_block.ln1.weight",
      "m_body.2.trans_block.ln1.weight",
      "m_tail.0.weight",
    ],
  ],
  ["FBCNN", ["m_head.weight", "qf_pred.0.res.0.weight", "m_up3.1.res.2.weight", "to_beta_1.0.bias"]],
  ["DRUNet", ["m_head.weight", "m_down1.0.res.0.weight", "m_body.2.res.0.weight", "m_tail.weight"]],
  [
    "GFPGAN",
    [
      "conv_body_first.weight",
      "stylegan_decoder.style_mlp.1.weight",
      "stylegan_decoder.style_convs.5.bias",
      "condition_shift.6.2.bias",
    ],
  ],
  ["Real-CUGAN, or waifu2x (CUNet)", ["unet1.conv1.conv.0.weight", "unet2.conv_bottom.weight"]],
  [
    "waifu2x (SwinUNet)",
    ["unet.patch.0.weight", "unet.swin1.block.0.attn.qkv.weight", "unet.to_image.proj.weight"],
  ],
  ["waifu2x (UpConv7 or VGG7)", ["0.weight", "0.bias", "2.weight", "10.weight", "12.weight", "12.bias"]],
  ["FFDNet", ["model.0.weight", "model.12.weight", "model.22.weight"]],
  [
    "a relative of ESRGAN with other parts than RRDBNet has", // with pixel shuffles
    [0, "1.sub.0.RDB1.conv1.0", "1.sub.1", 2, 5, 8, 10].map((part) => `model.${part}.weight`),
  ],
  ["a network with batch normalization", ["layers.1.running_mean"]],
  ["a transformer", ["stage.0.attn.qkv.weight"]],
])("%s is known by name, and taken for none of ours", (name, keys) => {
  expect(nameOfOther(keys)).toBe(name);
  const state = new Map(keys.map((key) => [key, { shape: [1, 1, 1, 1], data: Float32Array.of(0) }]));
  for (const recognize of [recognizeCompact, recognizeSpan, recognizeRRDBNet]) {
    expect(recognize(state, { name: "net.pth" })).toBeUndefined();
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
    expect(() => recognizeCompact(rgba, { name: "net.pth" })).toThrow(DataError);
    expect(() => recognizeCompact(rgba, { name: "net.pth" })).toThrow(
      /^net.pth: this is Compact from 4 channels to 4,/,
    );
    const { "body.2.weight": last, ...others } = Object.fromEntries(rgba);
    expect(last.shape).toEqual([16, 8, 3, 3]);
    expect(() => recognizeCompact(new Map(Object.entries(others)), { name: "net.pth" })).toThrow(
      "net.pth: this is Compact without its last convolution. The file is damaged or incomplete.",
    );
    const rrdbnet = stateOf({
      "conv_first.weight": [8, 4, 3, 3],
      "body.0.rdb1.conv1.weight": [4, 8, 3, 3],
      "conv_last.weight": [4, 8, 3, 3],
    });
    expect(() => recognizeRRDBNet(rrdbnet, { name: "net.pth" })).toThrow(/an RRDBNet from 4 channels to 4/);
    const unshuffled = new Map(rrdbnet).set("conv_first.weight", {
      shape: [8, 27, 3, 3],
      data: new Float32Array(8 * 27 * 9),
    });
    unshuffled.set("conv_last.weight", { shape: [3, 8, 3, 3], data: new Float32Array(216) });
    expect(() => recognizeRRDBNet(unshuffled, { name: "net.pth" })).toThrow(/from 27 channels to 3/);
  });

  test("an RRDBNet that enlarges by 3, which only its name tells", () => {
    const state = stateOf({
      "conv_first.weight": [8, 3, 3, 3],
      "body.0.rdb1.conv1.weight": [4, 8, 3, 3],
      "conv_up1.weight": [8, 8, 3, 3],
      "conv_last.weight": [3, 8, 3, 3],
    });
    for (const scale of [undefined, 4]) {
      expect(() => recognizeRRDBNet(state, { name: "3x_net.pth", scale })).toThrow(
        /by its name this RRDBNet enlarges by 3.* say so: --scale 2, or \{ scale: 2 \}/,
      );
    }
    expect(recognizeRRDBNet(state, { name: "3x_net.pth", scale: 2 })?.metadata.scale).toBe("2");
    expect(() => recognizeRRDBNet(state, { name: "net.pth", scale: 3 })).toThrow(
      /by the scale that was given this RRDBNet enlarges by 3/,
    );
    for (const name of ["2x_net.pth", "net.pth"]) {
      expect(recognizeRRDBNet(state, { name })?.metadata.scale, name).toBe("2");
    }
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
    expect(recognizeSpan(stateOf(shapes), { name: "net.pth" })?.metadata).toMatchObject({
      scale: "2",
      channels: "4",
    });
    for (const [key, shape] of Object.entries({
      "conv_1.sk.weight": [0, 2 ** 40, 1, 1],
      "conv_1.sk.bias": [3],
      "block_1.c3_r.conv.0.weight": [8, 4],
      "block_1.c3_r.conv.1.weight": [8, 7, 3, 3],
      "block_1.c3_r.conv.2.weight": [4, 8, 3, 3],
    })) {
      const damaged = stateOf({ ...shapes, [key]: shape });
      expect(() => recognizeSpan(damaged, { name: "net.pth" }), key).toThrow(DataError);
      expect(() => recognizeSpan(damaged, { name: "net.pth" }), key).toThrow(
        /do not add up to one convolution/,
      );
    }
    // Also where a convolution that was folded before is in the file, too.
    const folded = { "conv_1.eval_conv.weight": [4, 3, 3, 3], "conv_1.eval_conv.bias": [4] };
    for (const key of ["conv_1.conv.2.bias", "conv_1.sk.weight"]) {
      const { [key]: _, ...rest } = { ...shapes, ...folded } as Record<string, readonly number[]>;
      expect(() => recognizeSpan(stateOf(rest), { name: "net.pth" })).toThrow(
        /^net.pth: the branches of conv_1 do not/,
      );
    }
  });

  test("positions in an ESRGAN that no file can have", () => {
    const odd = stateOf({
      "model.0.weight": [8, 3, 3, 3],
      "model.1.sub.0.RDB1.conv1.0.weight": [4, 8, 3, 3],
      "model.1.sub.1.weight": [8, 8, 3, 3],
      "model.3000000000001.weight": [3, 8, 3, 3],
    });
    expect(recognizeRRDBNet(odd, { name: "net.pth" })?.metadata).toMatchObject({ scale: "1" });
  });

  test("ESRGAN+", () => {
    const plus = stateOf({
      "model.0.weight": [8, 3, 3, 3],
      "model.1.sub.0.RDB1.conv1x1.weight": [8, 8, 1, 1],
      "model.1.sub.0.RDB1.conv1.0.weight": [4, 8, 3, 3],
    });
    expect(() => readNetwork(serializePytorch(plus), "net.pth")).toThrow("this is ESRGAN+, which");
  });
});
