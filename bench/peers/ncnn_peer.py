"""ncnn for model.mjs: computes once for each line that it reads. The input is the blob "data", the result "output"."""

import sys
import time

import ncnn
import numpy

network, pixels, width, height, precision, output = sys.argv[1:]
net = ncnn.Net()
net.opt.use_vulkan_compute = True
if precision == "float32":
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
net.load_param(f"{network}.param")
net.load_model(f"{network}.bin")
x = numpy.fromfile(pixels, dtype=numpy.float32).reshape(-1, int(height), int(width))

for _ in sys.stdin:
    start = time.perf_counter()
    with net.create_extractor() as extractor:
        extractor.input("data", ncnn.Mat(x).clone())
        y = numpy.array(extractor.extract("output")[1])
    seconds = time.perf_counter() - start
    y.astype(numpy.float32).tofile(output)
    print(seconds, flush=True)
