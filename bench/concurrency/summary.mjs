// Changes when the samples are condensed in another way.

/** @typedef {import("./scenarios.mjs").Sample} Sample */

/**
 * @typedef {object} Row one client and one number of processes, over all rounds
 * @property {string} client
 * @property {number} processes
 * @property {number} rounds
 * @property {Spread} wallSeconds until the last process ended
 * @property {Spread} waitMilliseconds of all processes of all rounds
 * @property {number} overBareMilliseconds median of the waits less the median of a bare Node's in the same round; NaN without one
 * @property {Spread} processorMilliseconds of a process, on average of each round
 * @property {OutcomeRow} [outcome]
 */

/**
 * @typedef {object} OutcomeRow
 * @property {Spread} tokenRequests
 * @property {Spread} allRequests
 * @property {Spread} refusals
 * @property {Spread} withoutToken processes
 * @property {Spread} withoutGoodToken processes: those, and the ones whose token was dead when all had ended
 * @property {Spread} windows
 * @property {number} alive rounds after which the sign-in could still be renewed
 * @property {Record<string, number>} reasons
 */

/** @typedef {{ least: number, p10: number, median: number, p90: number, most: number }} Spread */

/** @param {readonly number[]} numbers @returns {Spread} */
export function spread(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { least: at(0), p10: at(0.1), median: at(0.5), p90: at(0.9), most: at(1) };
}

/** @param {readonly Sample[]} samples @returns {OutcomeRow | undefined} */
function outcomeOf(samples) {
  const outcomes = samples.flatMap(({ outcome }) => outcome ?? []);
  if (outcomes.length === 0) return undefined;
  const processes = samples[0]?.processes ?? 0;
  /** @type {Record<string, number>} */
  const reasons = {};
  for (const [reason, count] of outcomes.flatMap((each) => Object.entries(each.reasons))) {
    reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  return {
    tokenRequests: spread(outcomes.map(({ tokenRequests }) => tokenRequests)),
    allRequests: spread(outcomes.map(({ allRequests }) => allRequests)),
    refusals: spread(outcomes.map((each) => each.invalidGrants + each.otherRefusals)),
    withoutToken: spread(outcomes.map(({ withToken }) => processes - withToken)),
    withoutGoodToken: spread(outcomes.map(({ withGoodToken }) => processes - withGoodToken)),
    windows: spread(outcomes.map(({ windows }) => windows)),
    alive: outcomes.filter(({ isAlive }) => isAlive).length,
    reasons,
  };
}

/**
 * Rows in the order of the number of processes, then of the names given.
 * @param {readonly Sample[]} samples of one scenario
 * @param {readonly string[]} names
 * @param {string} bareName
 * @returns {Row[]}
 */
export function summarise(samples, names, bareName) {
  const counts = [...new Set(samples.map(({ processes }) => processes))].toSorted((a, b) => a - b);
  return counts.flatMap((processes) =>
    names.flatMap((client) => {
      const own = samples.filter((each) => each.processes === processes && each.client === client);
      if (own.length === 0) return [];
      const overBare = own.flatMap(({ waits, round }) => {
        const bare = samples.find(
          (each) =>
            each.processes === processes && each.client === bareName && each.round === round,
        );
        return bare === undefined ? [] : [spread(waits).median - spread(bare.waits).median];
      });
      const outcome = outcomeOf(own);
      return [
        {
          client,
          processes,
          rounds: own.length,
          wallSeconds: spread(own.map(({ wallMilliseconds }) => wallMilliseconds / 1000)),
          waitMilliseconds: spread(own.flatMap(({ waits }) => waits)),
          overBareMilliseconds: spread(overBare).median,
          processorMilliseconds: spread(own.map((each) => each.processorMilliseconds)),
          ...(outcome === undefined ? {} : { outcome }),
        },
      ];
    }),
  );
}
