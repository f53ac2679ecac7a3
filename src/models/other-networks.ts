/**
 * Well-known networks that are none of this library's, by what their tensors are called. People ask for them by name,
 * so that is what errors say.
 */

/** The first whose patterns all fit some tensor counts: more particular ones before those they resemble. */
const others: readonly (readonly [name: string, ...patterns: RegExp[]])[] = [
  ["HAT", /overlap_attn\.relative_position_bias_table$/],
  ["ATD", /residual_group\.td$|\.attn_atd\./],
  ["DRCT", /\.swin1\.norm1\.weight$/],
  ["RGT", /^before_RG\./, /\.blocks\.0\.gamma$/],
  ["DAT", /^before_RG\./],
  ["CRAFT", /\.hf_blocks\./],
  ["GRL", /\.stripe_attn\./],
  ["SRFormer", /residual_group\.blocks\.0\.attn\.aligned_relative_position_index$/],
  ["Swin2SR", /residual_group\.blocks\.0\.attn\.logit_scale$/],
  ["SwinIR", /residual_group\.blocks\.0\.(?:norm1|attn\.qkv)\.weight$/],
  ["OmniSR", /^residual_layer\.0\.residual_layer\.0\.layer\./],
  ["FDAT", /^groups\.0\.blocks\.0\.inter\.cg\./],
  ["DITN", /^UFONE\./],
  ["RealPLKSR", /^feats\.\d+\.lk\.conv\.weight$/, /^feats\.\d+\.norm\.weight$/],
  ["PLKSR", /^feats\.\d+\.lk\./],
  ["MoESR", /^in_to_dim\./, /\.dwconv_hw\./],
  ["MoSR", /^gblocks\./],
  ["SeemoRe", /\.moe_layer\./],
  ["SAFMN", /\.safm\./],
  ["RCAN", /\.conv_du\.0\.weight$/],
  ["Real-CUGAN", /^unet1\.conv1\./],
  ["MM-RealSR", /^am_list\./, /^de_net\./],
  ["NAFNet", /^middle_blks\./],
  ["SCUNet", /^m_body\.\d+\.trans_block\./],
  ["FBCNN", /^qf_pred\./],
  ["DRUNet", /^m_down1\.0\.res\./],
  ["GFPGAN", /^stylegan_decoder\./],
  ["DISP", /^blocks\.0\._extern_conv_block\./],
  ["ArtCNN", /^conv0\.weight$/, /^conv1\.0\.weight$|^res_blocks?\./],
  ["IMDN", /^IMDB1\./],
  ["RFDN", /^B1\.c1_d\.weight$/],
  ["RLFN", /^block_1\.c1_r\.weight$/, /^block_1\.esa\./],
  ["CARN", /^b1\.b1\.body\./],
  ["SRResNet or SRGAN", /^block1\.0\.weight$/, /^block[68]\./],
  ["MSRResNet (BasicSR's SRResNet)", /^upconv1\.weight$/, /^body\.0\.conv1\.weight$/],
  ["VDSR", /^residual_layer\.0\.conv\.weight$/],
  ["RDN (idealo's image-super-resolution)", /^F_m1\.0$/, /^LFF_1\.0$/],
  ["RRDN (idealo's image-super-resolution)", /^Pre_blocks_conv\.0$/],
  ["WDSR", /^conv2d_skip_scale_\d\.|^weight_normalization\.0$/],
  ["a network with batch normalization", /\.running_mean$|^batch_normalization(?:_\d+)?\.0$/],
  ["a transformer", /\.attn\.(?:qkv|proj)\.weight$|relative_position_(?:index|bias_table)$/],
];

/** A network's name, from the names of its tensors; undefined for one that is not known here. */
export function nameOfOther(tensors: Iterable<string>): string | undefined {
  const names = [...tensors];
  const fits = (pattern: RegExp) => names.some((name) => pattern.test(name));
  return others.find(([, ...patterns]) => patterns.every(fits))?.[0];
}
