/** The inference workloads as ONNX models (opset 17), built in memory. */
import protobuf from "protobufjs";

// The part of onnx.proto that these graphs need; field numbers are the standard's.
const { root } = protobuf.parse(
  `syntax = "proto3";
  package onnx;
  message AttributeProto {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20;
  }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated AttributeProto attribute = 5;
  }
  message Dim { int64 dim_value = 1; string dim_param = 2; }
  message Shape { repeated Dim dim = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message TypeProto { TensorType tensor_type = 1; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message GraphProto {
    repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message ModelProto {
    int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7;
    repeated OperatorSetIdProto opset_import = 8;
  }`,
  { keepCase: true },
);
const ModelProto = root.lookupType("onnx.ModelProto");

const FLOAT32 = 1;

/** The encoded model with input x and output y, or undefined for work that ONNX inference cannot express. */
export function onnxModel(workload) {
  const { kind, mode, net, pad } = workload;
  if (!["conv", "edsr", "resize"].includes(kind)) return undefined;
  const { x, w, parameters = {} } = workload.data();
  const constants = kind === "conv" ? { w } : { ...parameters };
  const nodes = [];
  const add = (op, input, output, attributes = {}) => {
    nodes.push({
      op_type: op,
      name: `${op}_${output}`,
      input,
      output: [output],
      attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    });
    return output;
  };
  const conv = (input, weights, padding, output) =>
    add("Conv", [input, ...weights], output, { pads: Array(4).fill(padding), strides: [1, 1] });

  if (kind === "conv") conv("x", ["w"], pad, "y");
  else if (kind === "resize") {
    constants.scales = { shape: [4], data: new Float32Array([1, 1, 2, 2]) };
    const cubic = mode === "bicubic";
    add("Resize", ["x", "", "scales"], "y", {
      mode: cubic ? "cubic" : "linear",
      coordinate_transformation_mode: "half_pixel",
      ...(cubic ? { cubic_coeff_a: -0.75 } : {}),
    });
  } else {
    const layer = (input, name, output = name) => conv(input, [`${name}.w`, `${name}.b`], 1, output);
    let y = layer("x", "head");
    for (let b = 0; b < net.blocks; b++) {
      const inner = add("Relu", [layer(y, `block${b}.1`)], `block${b}.relu`);
      y = add("Add", [y, layer(inner, `block${b}.2`)], `block${b}.sum`);
    }
    const features = add("Add", ["head", layer(y, "body")], "features");
    const large = add("DepthToSpace", [layer(features, "up")], "large", { blocksize: 2, mode: "CRD" });
    layer(large, "tail", "y");
  }

  return ModelProto.encode(
    ModelProto.fromObject({
      ir_version: 8,
      producer_name: "pixelgrad-peers",
      opset_import: [{ domain: "", version: 17 }],
      graph: {
        name: kind,
        node: nodes,
        initializer: Object.entries(constants).map(([name, { shape, data }]) => ({
          name,
          dims: shape,
          data_type: FLOAT32,
          raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        })),
        input: [
          value(
            "x",
            x.shape.map((size) => ({ dim_value: size })),
          ),
        ],
        // The runtime computes the size of the output itself.
        output: [
          value(
            "y",
            ["n", "c", "h", "w"].map((name) => ({ dim_param: name })),
          ),
        ],
      },
    }),
  ).finish();
}

function value(name, dim) {
  return { name, type: { tensor_type: { elem_type: FLOAT32, shape: { dim } } } };
}

/** A string, a list of whole numbers, a whole number or a float, marked with its type. */
function attribute(name, value) {
  if (typeof value === "string") return { name, s: new TextEncoder().encode(value), type: 3 };
  if (Array.isArray(value)) return { name, ints: value, type: 7 };
  if (Number.isInteger(value)) return { name, i: value, type: 2 };
  return { name, f: value, type: 1 };
}
