/** The enlargements that interpolations and most networks have. At 1, the size stays. */
export const scales = [1, 2, 3, 4, 8] as const;

/** The enlargement where nobody names one, and no weight file tells it. */
export const DEFAULT_SCALE = 2;
