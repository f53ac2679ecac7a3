/**
 * Names that people try because another library has them. TypeScript refuses them all; a program in JavaScript
 * gets a sentence with what to write instead, where it would get "x.relu is not a function" or, worse,
 * undefined. They are ordinary members of a class's prototype, which no list of members shows.
 */

/** What to write instead, by the name of the method or property. */
export type Sentences = Readonly<Record<string, string>>;

/** Methods that throw. `what` begins their message: "A tensor". What the class has itself stays. */
export function explainMethods(prototype: object, what: string, sentences: Sentences): void {
  for (const [name, sentence] of Object.entries(sentences)) {
    define(prototype, name, {
      writable: true,
      value() {
        throw new Error(`${what} has no method ${name}(). ${sentence}`);
      },
    });
  }
}

/** Properties that throw when they are read or set. */
export function explainProperties(prototype: object, what: string, sentences: Sentences): void {
  for (const [name, sentence] of Object.entries(sentences)) {
    const refuse = () => {
      throw new Error(`${what} has no ${/^-?\d/.test(name) ? `[${name}]` : name}. ${sentence}`);
    };
    define(prototype, name, { get: refuse, set: refuse });
  }
}

function define(prototype: object, name: string, descriptor: PropertyDescriptor): void {
  if (name in prototype) return;
  Object.defineProperty(prototype, name, { configurable: true, ...descriptor });
}
