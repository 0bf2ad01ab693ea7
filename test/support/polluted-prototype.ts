// Changes when somebody's write to the prototype of all objects is played in another way.
import { onTestFinished } from "vitest";

/** Writes to the prototype that plain objects share, until the test ends or the result is called. */
export function polluteObjects(values: Readonly<Record<string | symbol, unknown>>): () => void {
  const shared: object = Object.getPrototypeOf({});
  const names = Reflect.ownKeys(values);
  for (const name of names) {
    const value: unknown = values[name];
    Object.defineProperty(shared, name, { value, configurable: true, writable: true });
  }
  const undo = (): void => {
    for (const name of names) Reflect.deleteProperty(shared, name);
  };
  onTestFinished(undo);
  return undo;
}
