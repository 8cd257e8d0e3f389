/** SSIDLEV: protocol release level. 1 = OFTP 1.2, 2 = 1.3, 4 = 1.4, 5 = 2.0; 3 was never assigned. */
export type Level = 1 | 2 | 4 | 5;

export const LEVELS: readonly Level[] = [5, 4, 2, 1];
