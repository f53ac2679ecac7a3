import { describe, expect, it } from "vitest";
import { crop, type Image } from "../../src/picture/image.ts";
import { type Panel, pickDetail, sideBySide } from "../../src/report/picture.ts";

/** An RGB picture whose colours are f(x, y). */
function picture(
  width: number,
  height: number,
  f: (x: number, y: number) => [number, number, number],
): Image {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(f(i % width, Math.floor(i / width)), 3 * i);
  return { width, height, channels: 3, data };
}

/** Every pixel differs from its neighbours, and red, green and blue differ. */
const varied = (width: number, height: number) =>
  picture(width, height, (x, y) => [
    (x * 37 + y * 91) % 256,
    (x * 53 + 7 * y) % 256,
    (y * 29 + 128 * x) % 256,
  ]);

const pixel = ({ width, channels, data }: Image, x: number, y: number) => [
  ...data.subarray((y * width + x) * channels, (y * width + x) * channels + channels),
];

/** The top left corner of an image on a page, where all pixels agree. */
function find(page: Image, image: Image): [x: number, y: number] | undefined {
  for (let y = 0; y + image.height <= page.height; y++) {
    for (let x = 0; x + image.width <= page.width; x++) {
      if (pixel(page, x, y).join() !== pixel(image, 0, 0).join()) continue;
      if (Buffer.compare(crop(page, x, y, image.width, image.height).data, image.data) === 0) return [x, y];
    }
  }
  return undefined;
}

function enlarge(image: Image, factor: number): Image {
  return picture(image.width * factor, image.height * factor, (x, y) => {
    return pixel(image, Math.floor(x / factor), Math.floor(y / factor)) as [number, number, number];
  });
}

const panels = (...images: Image[]): Panel[] => images.map((image, i) => ({ caption: `method ${i}`, image }));

describe("sideBySide", () => {
  it("shows every pixel of every panel as a square, LR enlarged to the size of HR", async () => {
    const high = varied(24, 16);
    const low = varied(12, 8);
    const rows = [{ title: "", panels: panels(low, high) }];
    const page = await sideBySide(rows, 100);
    expect(page.channels).toBe(3);
    expect(page.data).toHaveLength(page.width * page.height * 3);
    // 100 / 24 allows a factor of 4: panels of 96 x 64.
    const [xLr, yLr] = find(page, enlarge(low, 8))!;
    const [xHr, yHr] = find(page, enlarge(high, 4))!;
    expect(yHr).toBe(yLr);
    expect(xHr).toBe(xLr + 96 + 10);
    expect(page.width).toBe(2 * xLr + 2 * 96 + 10); // equal margins
    expect(pixel(page, xLr + 96 + 5, yLr + 10)).toEqual([255, 255, 255]); // the gutter
  });

  it("shows pictures with alpha or in grey", async () => {
    const grey: Image = {
      width: 8,
      height: 8,
      channels: 1,
      data: Uint8Array.from({ length: 64 }, (_, i) => 4 * i),
    };
    const rgb = picture(8, 8, (x, y) => Array(3).fill(4 * (8 * y + x)) as [number, number, number]);
    const rgba: Image = { ...varied(8, 8), channels: 4, data: new Uint8Array(256).fill(77) };
    const page = await sideBySide([{ title: "", panels: panels(grey, rgba) }], 8);
    expect(find(page, rgb)).toBeDefined();
    expect(
      find(
        page,
        picture(8, 8, () => [77, 77, 77]),
      ),
    ).toBeDefined();
  });

  it("reduces panels that are too large to panelSize", async () => {
    const flat = (value: number) => picture(200, 100, () => [value, 0, 0]);
    const page = await sideBySide([{ title: "", panels: panels(flat(90), flat(200)) }], 50);
    expect(
      find(
        page,
        picture(50, 25, () => [90, 0, 0]),
      ),
    ).toBeDefined();
    expect(
      find(
        page,
        picture(51, 25, () => [90, 0, 0]),
      ),
    ).toBeUndefined();
    expect(
      find(
        page,
        picture(50, 26, () => [200, 0, 0]),
      ),
    ).toBeUndefined();
  });

  it("zooms into the region of an overview and marks it there", async () => {
    const high = picture(64, 64, () => [40, 40, 40]);
    const detail = varied(16, 16);
    for (let y = 0; y < 16; y++) {
      high.data.set(detail.data.subarray(y * 48, (y + 1) * 48), ((8 + y) * 64 + 32) * 3);
    }
    const overview = { caption: "whole", image: high, region: { x: 32, y: 8, width: 16, height: 16 } };
    const page = await sideBySide([{ title: "", panels: panels(high), overview }], 64);
    const [xDetail, yDetail] = find(page, enlarge(detail, 4))!;
    const left = xDetail - 10 - 64; // the overview, 64 pixels wide at a scale of 1, and the gutter
    const [red, green, blue] = pixel(page, left + 32, yDetail + 8 + 8); // middle of the left side
    expect(red).toBeGreaterThan(green + 50);
    expect(red).toBeGreaterThan(blue + 50);
    expect(pixel(page, left + 10, yDetail + 40)).toEqual([40, 40, 40]);
  });

  it("shows the same region of a panel that is small, whole, or that region alone", async () => {
    const low = varied(16, 12);
    const high = enlarge(low, 3);
    // It begins and ends within pixels of the small picture.
    const region = { x: 10, y: 5, width: 20, height: 17 };
    const part = crop(high, region.x, region.y, region.width, region.height);
    const page = (image: Image, isRegion?: boolean) =>
      sideBySide([
        {
          title: "",
          panels: [
            { caption: "a", image, isRegion },
            { caption: "b", image: high },
          ],
          overview: { caption: "whole", image: high, region },
        },
      ]);
    const whole = await page(high);
    expect(find(whole, enlarge(part, 12))).toBeDefined();
    expect(await page(low)).toEqual(whole);
    expect(await page(part, true)).toEqual(whole);
    await expect(page(varied(10, 8), true)).rejects.toThrow(/"a" has 10x8 .* parts as large as the region/);
  });

  it("aligns the columns of all rows", async () => {
    const wide = varied(30, 10);
    const tall = varied(10, 30);
    const second = picture(10, 30, () => [1, 2, 3]);
    const rows = [
      { title: "wide", panels: panels(wide, wide) },
      { title: "tall", panels: panels(tall, second) },
    ];
    const page = await sideBySide(rows, 30);
    const [xWide, yWide] = find(page, wide)!;
    const [xSecond, ySecond] = find(page, second)!;
    expect(xSecond).toBe(xWide + 30 + 10);
    expect(ySecond).toBeGreaterThan(yWide + 10);
  });

  it("draws captions and titles, and only there", async () => {
    const image = picture(100, 40, () => [255, 255, 255]);
    const page = (title: string, caption: string) =>
      sideBySide(
        [
          {
            title,
            panels: [
              { caption, image },
              { caption: "", image },
            ],
          },
        ],
        100,
      );
    const dark = ({ data, width }: Image) =>
      Array.from({ length: data.length / 3 }, (_, i) => i)
        .filter((i) => data[3 * i] < 200)
        .map((i) => ({ x: i % width, y: Math.floor(i / width) }));
    const blank = await page("", "");
    expect(dark(blank)).toEqual([]);
    const title = dark(await page("Baboon", ""));
    const caption = dark(await page("", "EDSR 31.02 dB"));
    const longCaption = dark(await page("", "a caption that is far too long for its panel"));
    expect(title.length).toBeGreaterThan(100);
    expect(caption.length).toBeGreaterThan(100);
    expect(longCaption.length).toBeGreaterThan(20);
    expect(Math.max(...title.map(({ y }) => y))).toBeLessThan(Math.min(...caption.map(({ y }) => y)));
    // Captions stay below their own panel, whose left edge is as far from the page's edge as the right one's.
    const firstPanel = { left: (blank.width - 210) / 2, right: (blank.width - 210) / 2 + 100 };
    for (const { x } of [...caption, ...longCaption]) {
      expect(x).toBeGreaterThanOrEqual(firstPanel.left);
      expect(x).toBeLessThan(firstPanel.right);
    }
    expect(
      Buffer.compare((await page("", "EDSR 31.03 dB")).data, (await page("", "EDSR 31.02 dB")).data),
    ).not.toBe(0);
  });

  it("refuses panels that are not versions of one picture", async () => {
    const high = varied(24, 16);
    const row = (...images: Image[]) => sideBySide([{ title: "boats", panels: panels(...images) }]);
    await expect(row(varied(16, 16), high)).rejects.toThrow(
      /"boats", "method 0" has 16x16 .* largest panel 24x16/,
    );
    await expect(row(varied(12, 9), high)).rejects.toThrow(/whole factor/);
    await expect(row()).rejects.toThrow(/row without panels/);
    await expect(sideBySide([])).rejects.toThrow(/no row/);
    const overview = (image: Image, x: number) =>
      sideBySide([
        {
          title: "",
          panels: panels(high),
          overview: { caption: "all", image, region: { x, y: 0, width: 8, height: 8 } },
        },
      ]);
    await expect(overview(varied(12, 8), 0)).rejects.toThrow(/"all" has 12x8/);
    await expect(overview(high, 17)).rejects.toThrow(/8x8 at column 17, row 0/);
  });
});

describe("pickDetail", () => {
  it("finds the texture, in every kind of picture", () => {
    const rgb = picture(200, 120, (x, y) =>
      x >= 136 && x < 168 && y >= 40 && y < 72 && (x + y) % 2 ? [250, 250, 250] : [20, 20, 20],
    );
    const grey: Image = { ...rgb, channels: 1, data: rgb.data.filter((_, i) => i % 3 === 0) };
    for (const image of [rgb, grey]) {
      expect(pickDetail(image, 32, 1)).toEqual({ x: 136, y: 40, width: 32, height: 32 });
    }
  });

  it("begins with a whole pixel of the small picture", () => {
    const dots = picture(64, 64, (x, y) => (x === 40 && y === 40 ? [255, 255, 255] : [0, 0, 0]));
    const { x, y } = pickDetail(dots, 24, 4);
    expect([x % 4, y % 4]).toEqual([0, 0]);
    expect([x, y]).toEqual([16, 16]);
  });

  it("prefers steep edges to gentle slopes", () => {
    // A step of 200 in the lower half, a ramp from 0 to 100 in the upper one.
    const image = picture(64, 64, (x, y) => {
      const value = y < 32 ? Math.round((x * 100) / 63) : x < 24 ? 0 : 200;
      return [value, value, value];
    });
    const { x, y } = pickDetail(image, 16, 1);
    expect(y).toBeGreaterThan(16);
    expect(x <= 23 && x + 16 > 23).toBe(true);
  });

  it("takes the first of equal places, and all of a small picture", () => {
    const flat = picture(50, 40, () => [9, 9, 9]);
    expect(pickDetail(flat, 16, 1)).toEqual({ x: 0, y: 0, width: 16, height: 16 });
    expect(pickDetail(flat, 64, 1)).toEqual({ x: 0, y: 0, width: 50, height: 40 });
  });
});
