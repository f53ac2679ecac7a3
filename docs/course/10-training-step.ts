import * as pg from "pixelgrad";

const resize = (x: pg.Tensor, scaleFactor: number) =>
  pg.interpolate(x, { scaleFactor, mode: "bicubic", convention: "matlab" });

/** Twice as large: bicubic interpolation, and what three convolutions have learned to add to it. */
class SmallNetwork extends pg.Module {
  readonly details = new pg.Sequential(
    new pg.Conv2d(1, 16, 3, { padding: 1 }),
    new pg.ReLU(),
    new pg.Conv2d(16, 16, 3, { padding: 1 }),
    new pg.ReLU(),
    new pg.Conv2d(16, 4, 3, { padding: 1 }), // at the small size, 4 channels for each pixel …
    new pg.PixelShuffle(2), // … which become a block of 2 x 2
  );
  override forward(low: pg.Tensor): pg.Tensor {
    return pg.add(resize(low, 2), this.details.forward(low));
  }
}

/** 0 outside, 1 inside, and grey where an edge crosses a pixel. */
const soft = (d: number) => Math.min(Math.max(d + 0.5, 0), 1);

/** `count` pictures of [1, side, side] with a slanted edge and a disc, in 0..1. */
function draw(count: number, side: number, random: pg.Random): pg.Tensor {
  const values: number[] = [];
  for (let k = 0; k < count; k++) {
    const [angle, level, other] = [2 * Math.PI * random.uniform(), random.uniform(), random.uniform()];
    const [top, left, radius] = [
      side * random.uniform(),
      side * random.uniform(),
      side * (0.1 + 0.3 * random.uniform()),
    ];
    for (let i = 0; i < side * side; i++) {
      const [y, x] = [Math.floor(i / side), i % side];
      const edge = soft((y - side / 2) * Math.sin(angle) + (x - side / 2) * Math.cos(angle));
      const disc = soft(radius - Math.hypot(y - top, x - left));
      values.push((1 - disc) * (edge * level + (1 - edge) * other) + disc * (1 - level));
    }
  }
  return pg.tensor(values, [count, 1, side, side]);
}

/** PSNR: the mean squared error, on a scale for eyes. */
const decibels = (error: number) => (-10 * Math.log10(error)).toFixed(1);

await pg.init();
pg.manualSeed(0);
const model = new SmallNetwork();
const optimizer = new pg.Adam(model.parameters(), { lr: 5e-3 });
const random = new pg.Random(1);
for (let step = 1; step <= 300; step++) {
  const high = draw(8, 32, random);
  const report = pg.scope(() => {
    const loss = pg.mseLoss(model.forward(resize(high, 0.5)), high); // forward: how wrong is it?
    optimizer.step(pg.backward(loss)); // backward: which way should each weight go? There it goes
    return step % 100 === 0 ? loss : undefined;
  });
  if (report) console.log(`step ${step}: ${decibels(await report.item())} dB`);
  high.dispose();
}

// Pictures that the network has not seen.
const high = draw(16, 64, new pg.Random(99));
const low = resize(high, 0.5);
const psnr = async (enlarged: pg.Tensor) => decibels(await pg.mseLoss(pg.clamp(enlarged, 0, 1), high).item());
console.log(`bicubic: ${await psnr(resize(low, 2))} dB`);
console.log(`network: ${await psnr(pg.noGrad(() => model.forward(low)))} dB`);
