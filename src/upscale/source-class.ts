/**
 * Whether a value is an instance of one of these classes, by the name that the platform itself gives it. Unlike
 * instanceof, this works where the class is missing (in Node, in workers), and for what comes from a frame.
 */
export function isOfClass<T>(value: unknown, ...names: readonly string[]): value is T {
  return names.includes(Object.prototype.toString.call(value).slice("[object ".length, -1));
}
