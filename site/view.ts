/** Where a picture lies in its window: the arithmetic of zooming and moving. Lengths are CSS pixels. */
import type { Size } from "./size.ts";

/** Pixel (0, 0) of the picture lies at (x, y) of the window; `zoom` CSS pixels show one of the picture. */
export interface View {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

/** CSS pixels for one of the picture. */
const MAX_ZOOM = 32;

/**
 * The whole picture, in the middle. Small ones are enlarged, but not beyond 4 times, unless they are still so small
 * then that the divider's grip would hide them.
 */
export function fitView(picture: Size, window: Size): View {
  const whole = Math.min(window.width / picture.width, window.height / picture.height);
  const zoom = Math.min(whole, Math.max(4, whole / 2));
  return within({ zoom, x: 0, y: 0 }, picture, window);
}

/** Enlarged by `factor`; what lies at (x, y) of the window stays there. */
export function zoomView(
  view: View,
  factor: number,
  [x, y]: readonly [number, number],
  picture: Size,
  window: Size,
): View {
  const fit = fitView(picture, window).zoom;
  const zoom = Math.min(Math.max(MAX_ZOOM, fit), Math.max(Math.min(1 / 4, fit), view.zoom * factor));
  const ratio = zoom / view.zoom;
  return within({ zoom, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio }, picture, window);
}

export function moveView(view: View, dx: number, dy: number, picture: Size, window: Size): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy }, picture, window);
}

/** The part of the picture that lies in the window, in whole pixels of the picture. */
export function visiblePart({ zoom, x, y }: View, picture: Size, window: Size) {
  const place = (at: number, length: number, room: number) => {
    const from = Math.max(0, Math.floor(-at / zoom));
    return [from, Math.min(length, Math.ceil((room - at) / zoom)) - from] as const;
  };
  const [left, width] = place(x, picture.width, window.width);
  const [top, height] = place(y, picture.height, window.height);
  return { left, top, width, height };
}

/** A picture smaller than the window is centred; a larger one leaves no gap at the window's edges. */
function within({ zoom, x, y }: View, picture: Size, window: Size): View {
  const place = (at: number, length: number, room: number) =>
    length <= room ? (room - length) / 2 : Math.min(0, Math.max(room - length, at));
  return {
    zoom,
    x: place(x, picture.width * zoom, window.width),
    y: place(y, picture.height * zoom, window.height),
  };
}
