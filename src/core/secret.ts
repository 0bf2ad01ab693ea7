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

/** `util.inspect` as it hands itself to a custom one: no import of `node:util` for whoever never prints anything. */
type Inspect = (value: unknown, options: object) => string;

function inspectShown(this: object, depth: number, options: object, inspectValue: Inspect): string {
  const prototype = Object.getPrototypeOf(this) as { constructor?: { name?: string } } | null;
  if (depth < 0) return `[${prototype?.constructor?.name ?? "Object"}]`;
  return inspectValue(Object.assign(Object.create(prototype) as object, this), options);
}

/**
 * Defines `name` on `target` as a read-only property that enumeration, spread, `structuredClone`, JSON and
 * `util.inspect` do not see, with `showHidden` and `getters` neither.
 */
export function defineHidden(target: object, name: string, value: unknown): void {
  defineHiddenGetter(target, name, () => value);
}

/** The same for a value that is made when somebody asks for it. */
export function defineHiddenGetter(target: object, name: string, get: () => unknown): void {
  Object.defineProperty(target, name, { get, enumerable: false, configurable: false });
  // `showHidden` shows properties that are not enumerable, and `getters` calls them.
  if (Object.hasOwn(target, inspect)) return;
  Object.defineProperty(target, inspect, { value: inspectShown });
}
