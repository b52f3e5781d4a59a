/** Randomness as a port, so that tests can name the ids they expect. */
export interface Random {
  /** `bytes` random bytes as lower-case hex, twice as many characters. */
  hex(bytes: number): string;
  /** An integer in [0, below). */
  below(below: number): number;
}

export const systemRandom: Random = {
  hex: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex"),
  below: (below) => {
    const limit = 2 ** 32 - (2 ** 32 % below);
    const word = new Uint32Array(1);
    do crypto.getRandomValues(word);
    while (word[0]! >= limit);
    return word[0]! % below;
  },
};
