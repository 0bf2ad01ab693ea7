// "Did you mean": the known name closest to a mistyped one. Changes when the measure does.

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current[column] = Math.min(
        replaced,
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
      );
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** `--callback-port`, `callback_port` and `callbackPort` are the same words. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-")
    .toLowerCase()
    .split(/[-_ ]/)
    .filter((word) => word !== "");
}

/** The shortest known name that has every one of the words: `--port` is meant to be `--callback-port`. */
function withAllWords(words: readonly string[], known: readonly string[]): string | undefined {
  return known
    .filter((candidate) => {
      const own = wordsOf(candidate);
      return words.every((word) => own.includes(word));
    })
    .toSorted((one, other) => one.length - other.length)[0];
}

/**
 * The known name closest to `name`: one that differs by a letter, one that has all of its words, or one that differs by
 * fewer than half of the letters; else undefined.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const words = wordsOf(name.slice(0, 64));
  // Dashes in front are no letters: with them, any short flag would be near any other.
  const wanted = words.join("-");
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(wanted.length / 2));
  for (const candidate of known) {
    const distance = editDistance(wanted, wordsOf(candidate).join("-"));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (bestDistance <= 1 && best !== undefined) return best;
  return (words.length === 0 ? undefined : withAllWords(words, known)) ?? best;
}
