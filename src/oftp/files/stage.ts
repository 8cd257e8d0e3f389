/** Streams of octets that are changed on the way, pushed through one stage after the other. */

export type Emit = (octets: Buffer) => void;

/**
 * One change. What a stage emits may be its own working memory or part of the chunk: it is to be used or copied
 * before the next call.
 */
export interface Stage {
  push(chunk: Buffer, emit: Emit): void;
  /** The stream has ended: gives what was held back. */
  end(emit: Emit): void;
}

/** Puts stages one behind the other; the first one's output is the second one's input. */
export function chain(stages: readonly Stage[]): Stage {
  const push = (index: number, chunk: Buffer, emit: Emit): void => {
    const stage = stages[index];
    if (stage === undefined) emit(chunk);
    else stage.push(chunk, (octets) => push(index + 1, octets, emit));
  };
  return {
    push: (chunk, emit) => push(0, chunk, emit),
    end: (emit) => {
      for (const [index, stage] of stages.entries()) stage.end((octets) => push(index + 1, octets, emit));
    },
  };
}

/** Small pieces gathered into larger buffers, which belong to who takes them. */
export class Gathering {
  static readonly #BLOCK = 64 * 1024;
  #block: Buffer = Buffer.alloc(0);
  #start = 0;
  #fill = 0;
  #full: Buffer[] = [];

  add(octets: Buffer): void {
    let from = 0;
    while (from < octets.length) {
      if (this.#fill === this.#block.length) this.#renew();
      const count = octets.copy(this.#block, this.#fill, from);
      this.#fill += count;
      from += count;
    }
  }

  /** What was added since the last call. */
  take(): Buffer[] {
    if (this.#fill > this.#start) this.#full.push(this.#block.subarray(this.#start, this.#fill));
    this.#start = this.#fill;
    const taken = this.#full;
    this.#full = [];
    return taken;
  }

  #renew(): void {
    if (this.#fill > this.#start) this.#full.push(this.#block.subarray(this.#start, this.#fill));
    this.#block = Buffer.allocUnsafeSlow(Gathering.#BLOCK);
    this.#start = 0;
    this.#fill = 0;
  }
}
