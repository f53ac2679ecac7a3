/** Times and rates in the words of the page. */
import { fixed } from "../language.ts";

/** Seconds as "1:02:03", "2:03". */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, min, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => `${value}`.padStart(2, "0");
  return h > 0 ? `${h}:${two(min)}:${two(s)}` : `${min}:${two(s)}`;
}

/** A length of video, in seconds. */
export function lengthText(seconds: number): string {
  return seconds < 60 ? `${fixed(seconds, 1)} s` : clock(seconds);
}

/** Three digits: 0.04, 1.5, 240; two decimals for the rates of television: 23.98, 29.97. */
export function rateText(rate: number): string {
  if (Math.abs(rate - Math.round(rate)) < 0.005) return `${Math.round(rate)}`;
  const ofTelevision = rate * 1.001;
  if (rate > 20 && Math.abs(ofTelevision - Math.round(ofTelevision)) < 0.002) return fixed(rate, 2);
  if (Math.abs(rate - Math.round(rate)) < 0.005 * rate) return `${Math.round(rate)}`;
  return fixed(rate, rate < 1 ? 2 : rate < 100 ? 1 : 0);
}
