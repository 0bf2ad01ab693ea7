// Objects from outside as they were meant: what they have themselves, and nothing of a shared prototype.

/**
 * A copy that has the enumerable properties of `given` itself and no prototype: whoever managed to write to
 * `Object.prototype` sets no option (P05).
 */
export function ownProperties<Given extends object>(given: Given): Given {
  return Object.assign(Object.create(null) as Given, given);
}
