import { hash, randomBytes } from "node:crypto";
import { inspect } from "node:util";

const salt = randomBytes(32).toString("hex");

/**
 * A secret that shows itself only when asked by name: printing, inspecting and JSON give "[secret]".
 * `fingerprint` tells two secrets apart within one process and means nothing outside it.
 */
export class Secret {
  readonly fingerprint: string;
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    this.fingerprint = hash("sha256", salt + value, "base64");
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
