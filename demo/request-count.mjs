// Changes when the demo counts requests in another way.

/** @param {readonly string[]} requests */
export function describeRequests(requests) {
  const count = `${requests.length} ${requests.length === 1 ? "request" : "requests"}`;
  return requests.length === 0 ? count : `${count} (${requests.join(", ")})`;
}

/**
 * What the provider's own log holds must be what the demo promises, in whatever order.
 * @param {readonly string[]} expected
 * @param {readonly string[]} counted
 */
export function assertRequests(expected, counted) {
  if (expected.toSorted().join() === counted.toSorted().join()) return;
  throw new Error(
    `the provider's log should have ${describeRequests(expected)}, and it has ${describeRequests(counted)}`,
  );
}
