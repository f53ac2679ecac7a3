/** The sentences of the page's worker in English: errors about pictures and networks. */
export const workerEnglish = {
  notWritten: (format: string, size: string, why: string) =>
    `This browser cannot write a ${format} picture of ${size} pixels (${why}). Choose PNG.`,
  sideTooLong: (format: string, most: number, size: string) =>
    `${format} pictures have at most ${most} pixels a side, and this one would have ${size}. Choose PNG.`,
  empty: (name: string) => `${name} is empty. Download or copy it again.`,
  unreadable: (name: string) =>
    `${name} cannot be read: it was changed, moved or removed since it was chosen. Choose it again.`,
  heic: (name: string) =>
    `${name} is a HEIC picture, which this browser cannot read. Save it as JPEG, or set the camera to “most compatible”.`,
  tiff: (name: string) =>
    `${name} is a TIFF picture, which this browser cannot read. Save it as PNG; the command line reads it.`,
  noPicture: (name: string, formats: string) =>
    `${name} is no picture that this browser can show. Choose a ${formats} file.`,
  foreign: (name: string, what: string, formats: string) => `${name} is ${what}. Choose a ${formats} file.`,
  unsupported: (name: string, format: string) =>
    `${name} is ${format}, which this browser cannot read, or it is damaged. Save it as PNG or JPEG.`,
  damaged: (name: string, format: string, why: string) =>
    `${name} is a ${format} picture, but it is damaged${why && ` (${why})`}. Download or copy it again.`,
  tooLargeFile: (name: string, size: string) =>
    `${name} has ${size} pixels, which take more than a gigabyte: too much for this page. Cut it into parts.`,

  gone: "This picture is no longer here. Choose it again.",
  tooLarge: (size: string, advice: string) =>
    `The result would have ${size} pixels, more than fit into this page's memory. ${advice}; the command line takes pictures of any size.`,
  smallerScale: "Choose a smaller scale",
  sizeInPixels: "Choose “Size” and fewer pixels, or a smaller picture",
  fewerPixels: "Choose fewer pixels",
  deviceLost:
    "The graphics device was lost, and with it this work. That happens when a driver is reset or a computer has slept. Try again: the page opens the device anew. If that does not help, reload the page.",
  deviceGone:
    "The graphics device was lost, and the browser offers no new one. Try again in a minute; if that does not help, reload the page.",
  fileNotLoaded:
    "A file of this page could not be loaded. Check the connection and try again, or reload the page. (If this page is yours: its folder has to be served whole.)",
  networkNeedsWebGpu: "A network needs WebGPU, which is not available here.",
  offline: (network: string) =>
    `You are offline, and ${network} has not been loaded yet. Go online once to use it.`,
  networkNotLoaded: (network: string) =>
    `The file of the network ${network} could not be loaded. Check the connection and try again. (If this page is yours: its folder has to be served whole.)`,
};

/** All sentences of the worker: texts, and functions that put names and numbers into texts. */
export type WorkerSentences = {
  readonly [K in keyof typeof workerEnglish]: (typeof workerEnglish)[K] extends string
    ? string
    : (typeof workerEnglish)[K];
};
