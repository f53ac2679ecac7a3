/** Under which conditions pictures will be measured: what the options and the pictures say of it. */
import type { PairFiles } from "../data/pairs.ts";
import { checkArguments, checkOptions, isObject, listOf, type Wanted } from "../options/arguments.ts";
import { whole } from "../options/kinds.ts";
import { andList } from "../options/lists.ts";
import { DataError } from "../picture/errors.ts";
import type { Upscaler } from "../upscale/index.ts";
import { type EvaluateOptions, optionsWanted } from "./evaluate-options.ts";
import { degradationOf, lowSourceOf, type Picture } from "./pictures.ts";
import { type Conditions, sourceNames } from "./protocol.ts";

/**
 * The conditions under which `evaluate` will measure.
 *
 * @throws RangeError for wrong options; DataError if there are no pictures, or their LR is of several sources and
 *   `mixed` does not allow that.
 */
export function conditionsOf(
  upscaler: Pick<Upscaler, "scale" | "colors">,
  pictures: readonly (PairFiles | Picture)[],
  options: EvaluateOptions = {},
): Conditions {
  return conditionsFor("conditionsOf", upscaler, pictures, options);
}

/** The same for `caller`, whom errors name. */
export function conditionsFor(
  caller: string,
  upscaler: Pick<Upscaler, "scale" | "colors">,
  pictures: readonly (PairFiles | Picture)[],
  options: EvaluateOptions,
): Conditions {
  checkArguments(caller, {
    upscaler: [upscaler, scaleAndColors],
    pictures: [pictures, listOf(aPicture)],
  });
  checkOptions(caller, options, optionsWanted);
  const { scale, colors } = upscaler;
  const { protocol = "y", border = scale, padding = "none", mixed = false } = options;
  if (pictures.length === 0) throw new DataError("there are no pictures; name at least one.", { caller });
  const sources = [...new Set(pictures.map(lowSourceOf))];
  const isMixed = sources.length > 1;
  if (isMixed && !mixed) {
    const names = andList(sources.map((source) => sourceNames[source]));
    throw new DataError(
      `the pictures' LR is of several sources (${names}), whose figures do not compare. Choose one for all pictures, ` +
        "or allow the mixture by the option `mixed`.",
      { caller },
    );
  }
  const degradations = new Set(pictures.map(degradationOf));
  const [degradation] = degradations;
  return {
    protocol,
    border,
    padding,
    lowSource: isMixed ? "mixed" : sources[0],
    ...(degradations.size === 1 && degradation !== undefined && { degradation }),
    colors: protocol === "y" && colors !== "rgb" ? "y" : "rgb",
  };
}

const scaleAndColors: Wanted = {
  wants: "an upscaler, or its scale and colors",
  fits: (value): value is Pick<Upscaler, "scale" | "colors"> =>
    isObject(value) && whole(1).fits(value.scale) && typeof value.colors === "string",
};

const aPicture: Wanted = {
  wants: "a picture of findPictures() or loadPicture()",
  fits: (value): value is PairFiles | Picture => isObject(value) && "high" in value,
};
