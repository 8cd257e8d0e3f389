/** A place where one part of a session waits for an answer that another part hears. */
export class Waiter<T> {
  #resolve: ((value: T) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #failed: Error | null = null;

  /** Waits for the next `give`; rejects at once after a `fail`. One waiter at a time. */
  wait(): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed);
    const waiting = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // whoever waits may have stumbled before it came to await this: its own error is the one that counts
    waiting.catch(() => {});
    return waiting;
  }

  /** Hands a value to whoever waits; false when nobody does. */
  give(value: T): boolean {
    const resolve = this.#resolve;
    this.#resolve = null;
    this.#reject = null;
    resolve?.(value);
    return resolve !== null;
  }

  /** Lets this wait and every later one fail. */
  fail(error: Error): void {
    this.#failed = error;
    const reject = this.#reject;
    this.#resolve = null;
    this.#reject = null;
    reject?.(error);
  }
}
