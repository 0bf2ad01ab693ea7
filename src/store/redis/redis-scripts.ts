// What Redis does in one step: each script is run whole, with nothing in between. Changes when the layout of the keys does.
//
// For each lock and the record of the same name there are, in one slot of a cluster:
//   PREFIX:{DIGEST}          hash  v version · s sealed record · f number of the last lease that wrote it
//   PREFIX:{DIGEST}:lock     hash  o owner · f number of the lease · h sealed: who it is and what it does; expires
//   PREFIX:{DIGEST}:flight   hash  f number of the last lease · d number of the last one that was freed
//                                  · e number of the lease of the outcome · o sealed outcome; expires
//   PREFIX:{DIGEST}:aside    hash  what was set aside as damaged; expires
//   PREFIX:{DIGEST}:news     channel: something has changed, look
// For each question that resource servers share, of DIGEST under the key:
//   PREFIX:answers:{DIGEST}  hash  o turn of who is asking, or s sealed answer; expires

/** A script, with how many of its arguments are keys. */
export interface RedisScript {
  readonly keys: number;
  readonly text: string;
}

const number = `local function number(text) return tonumber(text or '') or 0 end\n`;

/** Keys: record. Gives version and sealed record, both nil where there is none. */
export const readRecord: RedisScript = {
  keys: 1,
  text: `return redis.call('HMGET', KEYS[1], 'v', 's')`,
};

/**
 * Keys: record. Arguments: expected version ("" none), next version ("" to delete), sealed record, number of the lease
 * ("" none). Gives what came of it ("done", "changed", "fenced"), and version and sealed record as they were before.
 */
export const replaceRecord: RedisScript = {
  keys: 1,
  text: `${number}
local found = redis.call('HMGET', KEYS[1], 'v', 's', 'f')
local fence = ARGV[4]
if fence ~= '' and number(fence) < number(found[3]) then return {'fenced', found[1], found[2]} end
if (found[1] or '') ~= ARGV[1] then return {'changed', found[1], found[2]} end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'v', ARGV[2], 's', ARGV[3])
  if fence ~= '' then redis.call('HSET', KEYS[1], 'f', fence) end
end
return {'done', found[1], found[2]}`,
};

/**
 * Keys: record, aside. Arguments: the sealed record that is damaged, seconds to keep it. Sets it aside where it still is
 * the one.
 */
export const setAside: RedisScript = {
  keys: 2,
  text: `
if redis.call('HGET', KEYS[1], 's') ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1`,
};

/**
 * Keys: lock, flight, record. Arguments: owner, milliseconds of the lease, sealed holder, seconds to keep the flight.
 * Gives {1, number} where the lock is taken, else {0, number, sealed holder, milliseconds left} of who has it. A number is
 * the time in microseconds, or more: it grows even where Redis has lost what it knew.
 */
export const takeLock: RedisScript = {
  keys: 3,
  text: `${number}
local held = redis.call('HMGET', KEYS[1], 'o', 'f', 'h')
if held[1] and held[1] ~= ARGV[1] then
  return {0, held[2], held[3], redis.call('PTTL', KEYS[1])}
end
if held[1] then return {1, held[2]} end
local time = redis.call('TIME')
local fence = math.max(
  time[1] * 1000000 + time[2],
  number(redis.call('HGET', KEYS[2], 'f')) + 1,
  number(redis.call('HGET', KEYS[3], 'f')) + 1)
local text = string.format('%.0f', fence)
redis.call('HSET', KEYS[1], 'o', ARGV[1], 'f', text, 'h', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], 'f', text)
redis.call('EXPIRE', KEYS[2], ARGV[4])
return {1, text}`,
};

/**
 * Keys: lock, flight. Arguments: owner, number, milliseconds, sealed holder, channel ("" for none). Gives 1 where the lock
 * is still this one's: nobody has taken it since, even where it had expired or Redis had lost it. A renewal that was sent
 * again, and comes after the lock was freed, does not take it back.
 */
export const renewLock: RedisScript = {
  keys: 2,
  text: `${number}
local owner = redis.call('HGET', KEYS[1], 'o')
if owner and owner ~= ARGV[1] then return 0 end
local last = redis.call('HMGET', KEYS[2], 'f', 'd')
if number(last[1]) > number(ARGV[2]) or number(last[2]) >= number(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'o', ARGV[1], 'f', ARGV[2], 'h', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], 'look') end
return 1`,
};

/**
 * Keys: lock, flight. Arguments: owner, number, sealed outcome ("" none), channel, seconds to keep the flight. Frees the
 * lock where it still is this one's.
 */
export const freeLock: RedisScript = {
  keys: 2,
  text: `${number}
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[2], 'f', ARGV[2], 'd', ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[2], 'e', ARGV[2], 'o', ARGV[3]) end
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[4], 'look')
return 1`,
};

/** Keys: lock, flight. Gives number and sealed holder of who has the lock, number and sealed text of the last outcome. */
export const lookAtLock: RedisScript = {
  keys: 2,
  text: `
local held = redis.call('HMGET', KEYS[1], 'f', 'h')
local ended = redis.call('HMGET', KEYS[2], 'e', 'o')
return {held[1], held[2], ended[1], ended[2], redis.call('PTTL', KEYS[1])}`,
};

/**
 * Keys: answer. Arguments: turn, its milliseconds, a sealed answer that is not usable ("" none), characters of the longest
 * answer. Gives {"answered", sealed answer, milliseconds left}, {"asking"} while another one has the turn, or {"turn"}.
 */
export const lookAtAnswer: RedisScript = {
  keys: 1,
  text: `${number}
local found = redis.call('HMGET', KEYS[1], 's', 'o')
local left = redis.call('PTTL', KEYS[1])
if found[1] and found[1] ~= ARGV[3] and #found[1] <= number(ARGV[4]) then
  return {'answered', found[1], left}
end
if found[2] and left > 0 and left <= number(ARGV[2]) then return {'asking'} end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'o', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'turn'}`,
};

/** Keys: answer. Arguments: sealed answer, milliseconds to keep it. */
export const keepAnswer: RedisScript = {
  keys: 1,
  text: `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 's', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
};

/** Keys: answer. Arguments: turn. Ends it where it still is this one's. */
export const freeTurn: RedisScript = {
  keys: 1,
  text: `
if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`,
};
