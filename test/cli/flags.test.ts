import { describe, expect, test } from "vitest";
import { defineCommand, helpOf, parseFlags, table, UsageError } from "../../src/cli/flags.ts";
import { oneOf, text, whole } from "../../src/options/kinds.ts";
import { orList } from "../../src/options/lists.ts";

const command = defineCommand({
  about: "All about paint.",
  flags: {
    wall: { kind: text, help: "which wall", required: true },
    coats: { kind: whole(1), help: "how often", short: "c" },
    color: { kind: oneOf("red", "blue"), help: "its color", multiple: true },
    brush: { kind: whole(1), help: "its width", multiple: "last" },
    gloss: { help: "shines" },
  },
  examples: [["--wall north", "the north wall"]],
  run: async () => {},
});

describe("parseFlags", () => {
  test("values have the types of the table", () => {
    expect(
      parseFlags(command, [
        "--wall",
        "north",
        "-c",
        "2",
        "--color=red",
        "--color",
        "blue",
        "--gloss",
        "--brush=1",
        "--brush=2",
      ]),
    ).toEqual({
      wall: "north",
      coats: 2,
      color: ["red", "blue"],
      brush: 2,
      gloss: true,
    });
    expect(parseFlags(command, ["--wall", "north"])).toEqual({
      wall: "north",
      coats: undefined,
      color: [],
      brush: undefined,
      gloss: false,
    });
  });

  test.each([
    [[], "--wall NAME is missing: which wall"],
    [["--wall", ""], '--wall wants a name, got ""'],
    [["--wall", "n", "--wall", "s"], "--wall was given 2 times, and is wanted once"],
    [["--wall", "n", "--coats", "0"], '--coats wants a whole number of at least 1, got "0"'],
    [["--wall", "n", "--coats", "1.5"], '--coats wants a whole number of at least 1, got "1.5"'],
    [["--wall", "n", "--coats", " "], '--coats wants a whole number of at least 1, got " "'],
    [["--wall", "n", "--color", "green"], '--color wants red or blue, got "green"'],
    [["--wall", "n", "--ladder", "x"], "Unknown option '--ladder'"],
    [["--wall", "n", "east"], "Unexpected argument 'east'"],
    [["--wall"], "Option '--wall <value>' argument missing"],
    [["--wall", "n", "--gloss=yes"], "Option '--gloss' does not take an argument"],
  ])("%j is refused", (args, message) => {
    expect(() => parseFlags(command, args)).toThrow(new UsageError(message));
  });
});

test("the help text names the program as its users call it", () => {
  const help = helpOf(command, "npm run paint --");
  expect(help.split("\n")[0]).toBe("npm run paint -- --wall NAME [flags]");
  expect(help).toContain("  npm run paint -- --wall north\n      the north wall");
});

test("the help text names every flag with its value and meaning, and the examples", () => {
  const help = helpOf(command, "pixelgrad paint");
  expect(help.split("\n")[0]).toBe("pixelgrad paint --wall NAME [flags]");
  for (const line of [
    "      --wall NAME         which wall",
    "  -c, --coats N           how often",
    "      --color red|blue …  its color",
    "      --gloss             shines",
    "      --help              prints this text",
    "  pixelgrad paint --wall north",
  ]) {
    expect(help.split("\n")).toContain(line);
  }
});

test("long explanations are broken into lines under each other", () => {
  const words = Array.from({ length: 40 }, (_, i) => `word${i}`).join(" ");
  const lines = table([["--x", words]]).split("\n");
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  expect(lines.map((line) => line.slice(7)).join(" ")).toBe(words);
});

test("orList", () => {
  expect([orList(["a"]), orList(["a", "b"]), orList(["a", "b", 3])]).toEqual(["a", "a or b", "a, b or 3"]);
});
