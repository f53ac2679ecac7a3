"""Small networks as ports for Keras save them, and what Keras makes of a picture with each.

    pip install keras==3.15.1 h5py==3.16.0 torch==2.15.0 safetensors==0.8.0
    KERAS_BACKEND=torch python make.py

`.h5` files are as Keras 2 writes them. Networks that are none of this library's are here, too.
"""

from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers, ops
from keras.src.legacy.saving import legacy_h5_format
from safetensors.numpy import save_file

HERE = Path(__file__).parent
MEAN = np.array([0.4488, 0.4371, 0.4040], dtype=np.float32) * 255
tensors = {}


def depth_to_space(x, r):
    """As tf.nn.depth_to_space: channels are [y, x, channel]."""
    _, h, w, c = x.shape
    x = ops.reshape(x, (-1, h, w, r, r, c // (r * r)))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, h * r, w * r, c // (r * r)))


def conv(filters, side=3, padding="same", **options):
    return layers.Conv2D(filters, side, padding=padding, bias_initializer=keras.initializers.RandomNormal(), **options)


def edsr(before, after, scale, names, channels=4, blocks=1):
    """`before` and `after` prepare the picture, and restore the values of the result."""
    x_in = layers.Input((7, 6, 3))
    x = b = conv(channels)(before(x_in))
    for _ in range(blocks):
        b = layers.Add()([b, conv(channels)(conv(channels, activation="relu")(b))])
    x = layers.Add()([x, conv(channels)(b)])
    for i, r in enumerate([2, 2] if scale == 4 else [scale]):
        name = f"conv2d_{i + 1}_scale_{r}" if names else None
        x = layers.Lambda(lambda t, r=r: depth_to_space(t, r))(conv(channels * r * r, name=name)(x))
    return keras.Model(x_in, after(conv(3)(x)))


def krasser(scale):
    before = layers.Lambda(lambda x: (x - ops.convert_to_tensor(MEAN)) / 127.5)
    after = layers.Lambda(lambda x: x * 127.5 + ops.convert_to_tensor(MEAN))
    return edsr(before, after, scale, names=True, blocks=2 if scale == 4 else 1)


def example(scale=1 / 255, offset=0.0):
    """EDSR of Keras' examples; with another scale, a variant of it."""
    return edsr(layers.Rescaling(scale, offset), layers.Rescaling(1 / scale, -offset / scale), 4, names=False)


def srcnn(padding, planes=1):
    x = x_in = layers.Input((24, 22, planes))
    # The second one of the best-known port sees zeros in any case.
    for filters, side, pad in ((5, 9, padding), (4, 3, "same"), (planes, 5, padding)):
        x = conv(filters, side, pad, activation="relu" if side != 5 else None)(x)
    return keras.Model(x_in, x)


def named(*names):
    """Networks of other ports: only the layers' names matter."""
    return keras.Sequential([layers.Input((7, 6, 3)), *(conv(3, name=name) for name in names)])


def write(model, name, legacy_weights=False):
    """`legacy_weights`: without the model around them."""
    file = HERE / name
    if legacy_weights:
        with h5py.File(file, "w") as h5:
            legacy_h5_format.save_weights_to_hdf5_group(h5, model)
    elif name.endswith(".weights.h5"):
        model.save_weights(file)
    else:
        model.save(file)


def golden(model, name, levels, legacy_weights=False):
    """`levels`: whether the network takes 0 to 255 instead of 0 to 1."""
    write(model, name, legacy_weights)
    x = np.random.default_rng(len(tensors)).random((1, *model.input_shape[1:]), dtype=np.float32)
    factor = 255 if levels else 1
    y = keras.ops.convert_to_numpy(model(x * factor)) / factor
    for part, values in (("x", x), ("y", y)):
        tensors[f"{name}/{part}"] = np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def fresh(seed):
    keras.utils.set_random_seed(seed)
    keras.backend.clear_session()


for seed, (name, make, levels, legacy_weights) in enumerate(
    [
        ("edsr-krasser-x2.h5", lambda: krasser(2), True, True),
        ("edsr-krasser-x3.h5", lambda: krasser(3), True, True),
        ("edsr-krasser-x4.h5", lambda: krasser(4), True, True),
        ("edsr-example-x4.h5", example, True, False),
        ("edsr-example-x4.keras", example, True, False),
        ("edsr-example-x4.weights.h5", example, True, False),
        ("edsr-centered-x4.keras", lambda: example(1 / 127.5, -1.0), True, False),
        ("srcnn-valid-x3.h5", lambda: srcnn("valid"), False, True),
        ("srcnn-same-x2.h5", lambda: srcnn("same"), False, False),
        ("srcnn-same-x2.weights.h5", lambda: srcnn("same"), False, False),
    ]
):
    fresh(seed)
    golden(make(), name, levels, legacy_weights)
save_file(tensors, HERE / "outputs.safetensors")

fresh(0)
write(srcnn("same", planes=3), "other-srcnn-rgb.h5")
write(named("F_m1", "F_0", "LFF_1", "GFF_1"), "other-rdn.weights.h5")
write(named("F_m1", "F_0", "LFF_1", "GFF_1"), "other-rdn.h5", legacy_weights=True)
write(named("Pre_blocks_conv", "F_1_1_1"), "other-rrdn.h5", legacy_weights=True)
write(
    keras.Sequential([layers.Input((7, 6, 3)), conv(3), layers.BatchNormalization()]),
    "other-normalization.h5",
    legacy_weights=True,
)
