/** The sentences about video in English: those of the tab, and those of the worker. */
import { and, type SentencesLike } from "./list.ts";

export const videoEnglish = {
  // ---- Fixed texts of video-panel.html
  videoHint:
    "Enlarges every frame with a network, and keeps the sound if the file can hold it. Nothing is uploaded, and the length does not matter: only a few frames are in memory.",
  chooseVideo: "Choose a video…",
  useCamera: "Use the camera",
  chooseToBegin: "Choose a video, or drop one anywhere on this page: MP4, MOV, WebM or MKV.",
  videoMethodHint:
    "“Fast” is ESPCN, the network for video on most graphics cards. “Best” takes a network for clean pictures or one for damaged ones, by a frame from the middle.",
  fileFormat: "File",
  fileSize: "Its size",
  small: "Small",
  medium: "Medium",
  large: "Large",
  convert: "Convert",
  convertProgress: "Progress of the conversion",
  pause: "Pause",
  resume: "Resume",
  download: "Download",
  watch: "Watch enlarged",
  watchHint: "Plays it at once and skips frames where the graphics card is too slow.",
  endWatching: "Close",
  play: "Play",
  position: "Position",
  fullScreen: "Full screen",
  mute: "Mute",

  // ---- The video
  openingVideo: (name: string) => `Opening ${name}…`,
  size: "Size",
  length: "Length",
  frameRate: "Frames a second",
  perSecond: (rate: string, isSteady: boolean) =>
    isSteady ? rate : `${rate} on average; their times are kept`,
  codecOf: (codec: string, format: string) => `${codec} in ${format}`,
  coded: "Coded",
  soundOf: "Sound",
  silent: "none",
  sampleFrame: "a frame",
  enlargedFrame: (method: string) => `enlarged by ${method}`,
  becomesVideo: (from: string, to: string, isOdd: boolean) =>
    `${from} becomes ${to} pixels${isOdd ? ": video takes even numbers only, so the last column or row is left out" : ""}.`,

  // ---- What it will take
  measuringSpeed: "Measuring on a frame how long that takes…",
  estimate: (time: string, rate: string) => `About ${time}: ${rate} frames a second.`,
  isLong: "That is long. “Fast”, a smaller scale or a shorter video takes less.",
  notMeasured: (why: string) => `How long it takes could not be measured: ${why}`,
  watchable: (rate: string) => `Watching: fast enough for all ${rate} frames a second.`,
  watchSkips: (rate: string, of: string) => `Watching: about ${rate} of ${of} frames a second can be shown.`,
  watchTooSlow: "Watching: too slow, a frame takes longer than a second.",
  container: (name: string, codec: string) => `${name} (${codec})`,
  becomesFile: (bytes: string) => `A file of about ${bytes}.`,
  inMemory: "This browser keeps it until you download it.",
  soundCopied: (codecs: readonly string[]) => `The sound (${and("and", codecs)}) is copied unchanged.`,
  soundEncoded: (codecs: readonly string[]) => `The sound (${and("and", codecs)}) is encoded anew.`,
  soundLost: (codecs: readonly string[], other: string | undefined) =>
    `The sound (${and("and", codecs)}) cannot be kept in this file${other ? `; ${other} can hold it` : ""}.`,
  noOutput: (size: string) =>
    `This browser cannot write video of ${size} pixels. Choose a smaller scale, or use a current Chrome, Edge or Safari.`,

  // ---- Converting
  converting: (frames: number, rate: string | undefined) =>
    `${frames} ${frames === 1 ? "frame" : "frames"}${rate ? `, ${rate} a second` : ""}: `,
  paused: (frames: number) => `Paused after ${frames} ${frames === 1 ? "frame" : "frames"}.`,
  stillConverting: "A video is being converted. Stop that first, or wait until it is done.",
  converted: (frames: number, time: string, bytes: string) =>
    `Done: ${frames} ${frames === 1 ? "frame" : "frames"} in ${time}, ${bytes}.`,
  convertedPart: (frames: number, length: string, bytes: string) =>
    `Stopped. The file can be played and holds the first ${frames} ${frames === 1 ? "frame" : "frames"} (${length}), ${bytes}.`,
  stoppedBefore: "Stopped before the first frame was done: there is no file.",
  damagedAt: (at: string, frames: number, bytes: string) =>
    `The video is damaged at ${at}. The file can be played and holds the ${frames === 1 ? "frame" : `${frames} frames`} before that, ${bytes}.`,
  endedEarly: (why: string, frames: number, bytes: string) =>
    `${why} The file can be played and holds the first ${frames} ${frames === 1 ? "frame" : "frames"}, ${bytes}.`,
  savedAs: (name: string) => `Saved as “${name}”.`,

  // ---- Watching
  cameraName: "Camera",
  shown: (rate: string, of: string | undefined) =>
    of ? `${rate} of ${of} frames a second` : `${rate} frames a second`,
  late: (ms: number) => `${ms} ms behind`,
  at: (now: string, end: string) => `${now} of ${end}`,
  cannotPlay: (name: string) =>
    `This browser cannot play ${name}, though it can convert it. Convert it and watch the result.`,
  cameraRefused:
    "The browser did not let this page use a camera. Allow it in the address bar, and press the button again.",
  noCamera: "No camera was found. Connect one, and press the button again.",
  cameraBusy: (why: string) =>
    `The camera could not be started (${why}). Another program may be using it: close that and try again.`,

  // ---- The worker
  empty: (name: string) => `${name} is empty. Download or copy it again.`,
  noVideo: (name: string) =>
    `${name} is no video that this page can read. Choose an MP4, MOV, WebM or MKV file, or convert it to one of these first.`,
  damaged: (name: string, why: string) =>
    `${name} is a video, but it is damaged (${why}). Download or copy it again.`,
  incomplete: (name: string) =>
    `${name} is a video, but its end is missing, and with it what is needed to read it. Download or copy it again.`,
  noVideoTrack: (name: string) => `${name} has no pictures in it, only sound. Choose a file with video.`,
  noFrames: (name: string) => `${name} is a video without any frame. Choose another file.`,
  cannotDecode: (name: string, codec: string) =>
    `${name} is coded as ${codec}, which this browser cannot decode. Try another browser (Safari and Edge know more codecs), or convert it to H.264 or VP9 first.`,
  undecodable: (name: string, why: string) =>
    `The frames of ${name} cannot be decoded (${why}). The file may be damaged: download or copy it again.`,
  unencodable: (why: string) =>
    `This browser could not encode the video (${why}). Choose a smaller scale or the other file.`,
  fromHdr: "The video is HDR. The result has the colours of an ordinary screen, with 8 bits.",
  becomesEight: "The video has more than 8 bits for a colour. The result has 8.",
  losesAlpha: "Where it is transparent, the result is opaque.",
  otherTracks: (count: number) =>
    `The file has ${count === 1 ? "another track" : `${count} other tracks`} of video, which the result lacks.`,
  endIsMissing:
    "The end of the file is missing: it was not downloaded or copied whole. What is there can be converted.",
  withoutSubtitles: "The subtitles are left out.",
  soundUnknown: "A track of sound is coded in an unknown way, and is left out.",
  gone: "This video is no longer open. Choose it again.",
};

/** All sentences about video: texts, and functions that put names and numbers into texts. */
export type VideoSentences = SentencesLike<typeof videoEnglish>;
