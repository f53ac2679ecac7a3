/** `"gpu"`, `"lavapipe"`, `"swiftshader"`, `"cpu"`, or a part of an adapter's name. */
export type AdapterChoice = "gpu" | "lavapipe" | "swiftshader" | "cpu" | (string & {});

/** What an AdapterChoice may be, for help texts. */
export const adapterChoices = "gpu, lavapipe, swiftshader, cpu or part of an adapter's name";
