// Which lane runs: `npm test` runs a part of some tables, the long lane the whole of them.

/** True in the long lane, which takes the time for every row and round. */
export const isLongLane = process.env["LATCHKEY_TEST_LANE"] === "long";

/** `inLongLane` there, and `otherwise` in every other lane. */
export function byLane<Value>(inLongLane: Value, otherwise: Value): Value {
  return isLongLane ? inLongLane : otherwise;
}
