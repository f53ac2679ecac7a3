/** How segments of JPEG files begin that hold XMP, and a part of a colour profile. */
export const xmpPrefix = "http://ns.adobe.com/xap/1.0/\0";
export const iccPrefix = "ICC_PROFILE\0";
