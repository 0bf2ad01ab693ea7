// Changes with what request-count.mjs offers: the types of that file.

/** "3 requests (discovery, keys, token)". */
export function describeRequests(requests: readonly string[]): string;

/** @throws {Error} when the two lists differ in more than their order. */
export function assertRequests(expected: readonly string[], counted: readonly string[]): void;
