import type { Clock } from "../../src/platform/clock.ts";

/** A clock moved by hand; its timers fire in order when it passes them. */
export class ManualClock implements Clock {
  #time = 0;
  /** Of the wall clock to the monotonic one. */
  #offset = 0;
  #timers: { at: number; fire: () => void }[] = [];

  now(): number {
    return this.#time + this.#offset;
  }

  /** Sets the wall clock, forward or back; nothing else notices. */
  set(by: number): void {
    this.#offset += by;
  }

  monotonic(): number {
    return this.#time;
  }

  timer(milliseconds: number, fire: () => void) {
    const timer = { at: this.#time + milliseconds, fire };
    this.#timers.push(timer);
    const cancel = () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
    return { cancel };
  }

  advance(milliseconds: number): void {
    this.#time += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.#time).sort((a, b) => a.at - b.at);
    this.#timers = this.#timers.filter(({ at }) => at > this.#time);
    for (const { fire } of due) fire();
  }
}
