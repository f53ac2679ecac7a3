/** WGSL in colours: enough of its grammar to tell words from numbers and comments. */

export type TokenKind = "comment" | "keyword" | "type" | "number" | "attribute" | "constant" | "call";

const keywords =
  "alias break case const continue continuing default diagnostic discard else enable false fn for if let loop " +
  "override return struct switch true var while";
const types =
  "array atomic bool element element4 f16 f32 i32 u32 vec2f vec3f vec4f vec2u vec3u vec4u vec2i vec3i vec4i";
const words = new Map<string, TokenKind>([
  ...keywords.split(" ").map((word) => [word, "keyword"] as const),
  ...types.split(" ").map((word) => [word, "type"] as const),
]);

const pattern = /(\/\/.*|\/\*[\s\S]*?\*\/)|(@\w+)|(\b\d[\w.]*\b)|([A-Za-z_]\w*)(\s*\()?/g;

/** The text in pieces; those without a kind are plain. Together they are the text. */
export function tokens(text: string): { readonly text: string; readonly kind?: TokenKind }[] {
  const pieces: { text: string; kind?: TokenKind }[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, comment, attribute, number, word, bracket = ""] = match;
    const kind = comment
      ? "comment"
      : attribute
        ? "attribute"
        : number
          ? "number"
          : (words.get(word) ?? (/^[A-Z][A-Z_\d]*$/.test(word) ? "constant" : bracket ? "call" : undefined));
    if (!kind) continue;
    const length = whole.length - bracket.length;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: text.slice(match.index, match.index + length), kind });
    end = match.index + length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}
