// Changes when time is skipped in another way. While anything is at work, time passes as it does; where nothing is, it jumps
// to the next timer. So what happens takes as long as it takes, and an hour of waiting takes no time at all.
//
// It takes the place of `Date.now`, `process.hrtime` and `setTimeout`, before Latchkey and the client of Redis are loaded:
// those two are the very ones that are installed, and know nothing of it.

const realNow = Date.now.bind(Date);
const realHrtime = process.hrtime.bind(process);
const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;

/** Milliseconds that were skipped. */
let skipped = 0;
/** What is at work. */
let busy = 0;
let isLooking = false;

const elapsed = () => {
  const [seconds, nanoseconds] = realHrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};
const virtualNow = () => elapsed() + skipped;

/** A binary heap by the time when it is due. @type {Timer[]} */
const heap = [];
let armed;
let armedFor = Number.POSITIVE_INFINITY;

class Timer {
  /** @param {(...values: unknown[]) => void} work @param {number} milliseconds @param {unknown[]} values */
  constructor(work, milliseconds, values) {
    this.work = work;
    this.milliseconds = Math.max(1, milliseconds ?? 1);
    this.values = values;
    this.due = virtualNow() + this.milliseconds;
    this.isOver = false;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  hasRef() {
    return false;
  }
  refresh() {
    this.isOver = true;
    const next = add(new Timer(this.work, this.milliseconds, this.values));
    this.next = next;
    return this;
  }
  close() {
    this.isOver = true;
    this.next?.close();
    return this;
  }
  [Symbol.toPrimitive]() {
    return 0;
  }
  [Symbol.dispose]() {
    this.close();
  }
}

/** @param {number} one @param {number} other */
function swap(one, other) {
  const item = heap[one];
  heap[one] = heap[other];
  heap[other] = item;
}

/** @param {Timer} timer */
function add(timer) {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent].due <= heap[at].due) break;
    swap(parent, at);
    at = parent;
  }
  arm();
  return timer;
}

function takeFirst() {
  const [first] = heap;
  const last = heap.pop();
  if (heap.length > 0) {
    heap[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && heap[child].due < heap[least].due) least = child;
      }
      if (least === at) break;
      swap(least, at);
      at = least;
    }
  }
  return first;
}

function arm() {
  while (heap.length > 0 && heap[0].isOver) takeFirst();
  if (heap.length === 0 || heap[0].due >= armedFor) return;
  realClearTimeout(armed);
  armedFor = heap[0].due;
  armed = realSetTimeout(fire, Math.max(0, Math.ceil(armedFor - virtualNow())));
}

function fire() {
  armedFor = Number.POSITIVE_INFINITY;
  const now = virtualNow();
  while (heap.length > 0 && (heap[0].isOver || heap[0].due <= now)) {
    const timer = takeFirst();
    if (timer.isOver) continue;
    timer.isOver = true;
    timer.work(...timer.values);
  }
  arm();
  look();
}

/** After two turns of the event loop without work nobody waits for anything but time. */
function look() {
  if (isLooking || busy > 0) return;
  isLooking = true;
  setImmediate(() =>
    setImmediate(() => {
      isLooking = false;
      if (busy > 0 || heap.length === 0) return;
      const gap = heap[0].due - virtualNow();
      if (gap > 1) {
        skipped += gap;
        realClearTimeout(armed);
        armedFor = Number.POSITIVE_INFINITY;
        fire();
      }
    }),
  );
}

/** Puts itself in the place of the process's clocks. */
export function replaceClocks() {
  Date.now = () => Math.floor(realNow() + skipped);
  const hrtime = (/** @type {[number, number] | undefined} */ since) => {
    const now = virtualNow();
    const time = [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
    return since === undefined ? time : realHrtime(since);
  };
  process.hrtime = Object.assign(hrtime, { bigint: () => realHrtime.bigint() });
  globalThis.setTimeout = (work, milliseconds, ...values) =>
    add(new Timer(work, milliseconds, values));
  globalThis.clearTimeout = (timer) => {
    if (timer instanceof Timer) timer.close();
    else realClearTimeout(timer);
  };
}

/** Time is not skipped while this goes on. @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
export async function atWork(work) {
  busy += 1;
  try {
    return await work();
  } finally {
    busy -= 1;
    look();
  }
}

/** Milliseconds of virtual time, from some moment on. */
export const virtualMilliseconds = virtualNow;
/** The same, without what was skipped. */
export const realMilliseconds = elapsed;
