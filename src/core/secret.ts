// A value that must never be shown by accident. Changes when JavaScript gains a new way to print an object.

const shown = "[redacted]";
const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * Holds a secret so that `toString`, `toJSON`, template strings, spread, `structuredClone` and `util.inspect`
 * show `[redacted]`. Only {@link Secret.reveal} gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The secret itself. Call it where the value is sent, nowhere else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  static {
    Object.defineProperty(this.prototype, inspect, { value: () => shown });
  }
}

/**
 * Defines `name` on `target` as a read-only property that enumeration, spread, `structuredClone`, JSON and
 * `util.inspect` do not see.
 */
export function defineHidden(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { get: () => value, enumerable: false, configurable: false });
}
