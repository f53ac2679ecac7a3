import { beforeEach, describe, expect, test } from "vitest";
import { setDefaultDevice } from "../../src/device/open.ts";
import { EDSR, ESPCN } from "../../src/models/index.ts";
import { fromPlanar, toPlanar } from "../../src/picture/planes.ts";
import { Random } from "../../src/tensor/random.ts";
import {
  interpolator,
  type Method,
  networkUpscaler,
  type Planes,
  selfEnsemble,
  type Upscaler,
} from "../../src/upscale/index.ts";
import { noise } from "../data/support.ts";
import { expectClose } from "../support/close.ts";
import { float32Device } from "../support/devices.ts";

beforeEach(() => setDefaultDevice(float32Device()));

const planes = (width: number, height: number, channels: 1 | 3): Planes => ({
  width,
  height,
  channels,
  data: toPlanar(noise(width, height, channels)),
});

/** Rows and columns exchanged, without the library's help. */
function transpose({ width, height, channels, data }: Planes): Planes {
  const turned = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        turned[(c * width + x) * height + y] = data[(c * height + y) * width + x];
      }
    }
  }
  return { width: height, height: width, channels, data: turned };
}

function mirror({ width, height, channels, data }: Planes): Planes {
  return {
    width,
    height,
    channels,
    data: data.map((_, i) => data[i - (i % width) + width - 1 - (i % width)]),
  };
}

describe("x8 self-ensemble", () => {
  const network = () => networkUpscaler(new ESPCN({ scale: 3, residual: true, random: new Random(1) }));
  const lopsided = () => {
    const model = new ESPCN({ scale: 2, filters: [3, 2], random: new Random(2) });
    const random = new Random(5);
    for (const p of model.parameters())
      p.assign(Float32Array.from({ length: p.size }, () => random.normal()));
    return networkUpscaler(model);
  };

  test("treats all directions alike, which the network does not", async () => {
    const x = planes(6, 5, 1);
    const asymmetry = async ({ upscalePlanes }: Upscaler, turn: (x: Planes) => Planes) => {
      const one = turn(await upscalePlanes(x)).data;
      const other = (await upscalePlanes(turn(x))).data;
      return Math.max(...one.map((v, i) => Math.abs(v - other[i])));
    };
    for (const turn of [transpose, mirror]) {
      expect(await asymmetry(lopsided(), turn)).toBeGreaterThan(0.1);
      expect(await asymmetry(selfEnsemble(lopsided()), turn)).toBeLessThan(1e-5);
    }
  });

  test("is the mean of the eight answers", async () => {
    const x = planes(6, 5, 1);
    const { upscalePlanes } = lopsided();
    const answers: Float32Array[] = [];
    const rotate = (p: Planes) => mirror(transpose(p)); // a quarter turn
    const turnBack = (p: Planes) => transpose(mirror(p));
    for (const flip of [false, true]) {
      let turned = flip ? mirror(x) : x;
      for (let quarter = 0; quarter < 4; quarter++) {
        let answer = await upscalePlanes(turned);
        for (let k = 0; k < quarter; k++) answer = turnBack(answer);
        answers.push((flip ? mirror(answer) : answer).data);
        turned = rotate(turned);
      }
    }
    const mean = answers[0].map((_, i) => answers.reduce((sum, answer) => sum + answer[i], 0) / 8);
    const got = await selfEnsemble(lopsided()).upscalePlanes(x);
    expectClose(got.data, mean, { absolute: 1e-5 });
  });

  test("of a picture is rounded once, after averaging", async () => {
    const edsr = networkUpscaler(new EDSR({ blocks: 1, channels: 2, random: new Random(1) }));
    const image = noise(6, 5, 3);
    const { data } = await selfEnsemble(edsr).upscalePlanes({ ...image, data: toPlanar(image) });
    expect(await selfEnsemble(edsr).upscale(image)).toEqual(fromPlanar(data, 12, 10, 3));
  });

  test("of interpolation is interpolation", async () => {
    const x = planes(7, 5, 3);
    for (const name of ["nearest", "bilinear", "bicubic"] as const) {
      const plain = interpolator(name, 3);
      const ensemble = selfEnsemble(plain);
      expect(ensemble).toMatchObject({ name: `${name}+`, scale: 3, colors: "any" });
      expectClose((await ensemble.upscalePlanes(x)).data, (await plain.upscalePlanes(x)).data, {
        absolute: 1e-6,
      });
    }
  });

  test("can be stopped between two answers", async () => {
    const method = network();
    let answers = 0;
    const controller = new AbortController();
    const counting: Method = {
      ...method,
      enlarge(planes) {
        if (++answers === 3) controller.abort(new Error("enough"));
        return method.enlarge(planes);
      },
    };
    const stopped = selfEnsemble(counting).upscale(noise(4, 4, 1), { signal: controller.signal });
    await expect(stopped).rejects.toThrow("enough");
    expect(answers).toBe(3);
  });
});
