// examples/postgres-store.mjs: one sign-in for programs on many machines, in PostgreSQL; and the tests that say whether
// it is a store. Run them with: PGHOST=… PGDATABASE=… node --test
import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { OidcError } from "latchkey";
import { testTokenStore } from "latchkey/testing";
import { Pool } from "pg";

/** To be run once. */
export const tables = `
  CREATE TABLE IF NOT EXISTS sign_ins (
    name text PRIMARY KEY, version text NOT NULL, sealed bytea NOT NULL, fence bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS sign_in_locks (
    name text PRIMARY KEY, owner uuid NOT NULL, fence bigint NOT NULL, phase text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(), expires timestamptz NOT NULL, outcome bytea);
  CREATE SEQUENCE IF NOT EXISTS sign_in_leases`;

// A lease is renewed while the work goes on. The work ends some time before it, so that nothing is still on its way.
const [leaseSeconds, renewalSeconds, marginSeconds] = [30, 8, 5];
const pollMilliseconds = 200;
const graceSeconds = 5;

/** @param pool of the package `pg`. @param secret 32 bytes, the same for all programs. */
export function postgresStore(pool, secret) {
  const query = async (sql, values = []) => (await pool.query(sql, values)).rows;
  // The key of a record holds issuer and account: who reads the tables learns neither.
  const nameOf = (key) => createHmac("sha256", secret).update(key).digest("base64url");

  // Each value is bound to its place: nobody can put one row's in another's.
  const seal = (value, place) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(place));
    const text = [cipher.update(JSON.stringify(value)), cipher.final()];
    return Buffer.concat([nonce, ...text, cipher.getAuthTag()]);
  };
  const unseal = (bytes, place) => {
    const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-16));
    return JSON.parse(decipher.update(bytes.subarray(12, -16)) + decipher.final());
  };
  const recordOf = (row) => row && unseal(row.sealed, `record ${row.name}`);

  async function read(key) {
    const [row] = await query("SELECT name, sealed FROM sign_ins WHERE name = $1", [nameOf(key)]);
    return recordOf(row);
  }

  // One statement compares and writes: the version that is expected, and no later holder's number.
  async function replace(key, expectedVersion, next, fence) {
    const name = nameOf(key);
    const sealed = next && seal(next, `record ${name}`);
    const isHere = "name = $1 AND version = $2 AND fence <= coalesce($3, fence)";
    const written =
      expectedVersion === undefined
        ? next &&
          (await query(
            `INSERT INTO sign_ins (name, version, sealed, fence) VALUES ($1, $2, $3, coalesce($4, 0))
             ON CONFLICT DO NOTHING RETURNING name`,
            [name, next.version, sealed, fence],
          ))
        : next === undefined
          ? await query(`DELETE FROM sign_ins WHERE ${isHere} RETURNING name`, [
              name,
              expectedVersion,
              fence,
            ])
          : await query(
              `UPDATE sign_ins SET version = $4, sealed = $5, fence = coalesce($3, fence)
               WHERE ${isHere} RETURNING name`,
              [name, expectedVersion, fence, next.version, sealed],
            );
    if (written?.length === 1) return { replaced: true };
    const [row] = await query("SELECT name, sealed, fence FROM sign_ins WHERE name = $1", [name]);
    // Nothing was expected, nothing is to be there, and nothing is.
    if (row === undefined && expectedVersion === undefined && next === undefined) {
      return { replaced: true };
    }
    const isFenced = row !== undefined && fence !== undefined && Number(row.fence) > fence;
    return { replaced: false, current: recordOf(row), ...(isFenced ? { fenced: true } : {}) };
  }

  /** The lock, where nobody has it. The database's own clock decides. */
  async function take(name, owner) {
    const [row] = await query(
      `INSERT INTO sign_in_locks AS lock (name, owner, fence, phase, expires)
       VALUES ($1, $2, nextval('sign_in_leases'), 'refresh', now() + $3 * interval '1 second')
       ON CONFLICT (name) DO UPDATE SET owner = $2, fence = excluded.fence, phase = 'refresh',
         since = now(), expires = excluded.expires, outcome = NULL
       WHERE lock.expires < now() RETURNING fence`,
      [name, owner, leaseSeconds],
    );
    return row && Number(row.fence);
  }

  function leaseOf(name, owner, fence, askedAt) {
    const lost = new AbortController();
    let phase = "refresh";
    let grantedAt = askedAt;
    const renew = async () => {
      const now = clocks();
      const rows = await query(
        `UPDATE sign_in_locks SET phase = $3, expires = now() + $4 * interval '1 second'
         WHERE name = $1 AND owner = $2 AND expires > '-infinity' RETURNING name`,
        [name, owner, phase, leaseSeconds],
      );
      if (rows.length === 1) grantedAt = now;
      else lost.abort(new Error("Another program has taken the lock."));
    };
    const expireIfOverdue = () => {
      const passed = Math.max(...clocks().map((now, at) => now - grantedAt[at]));
      if (passed < (leaseSeconds - marginSeconds) * 1000) return;
      const message = "The time of the lock was over before the request was sent.";
      lost.abort(new OidcError("store_unavailable", message, { reason: "lock_overdue" }));
    };
    const renewing = setInterval(() => void renew().catch(() => {}), renewalSeconds * 1000).unref();
    const looking = setInterval(expireIfOverdue, 250).unref();
    const free = async (outcome) => {
      clearInterval(renewing);
      clearInterval(looking);
      await query(
        `UPDATE sign_in_locks SET expires = '-infinity', outcome = $3 WHERE name = $1 AND owner = $2
         AND expires > '-infinity'`,
        [name, owner, outcome && seal(outcome, `outcome ${name} ${fence}`)],
      );
    };
    return {
      held: true,
      acrossProcesses: true,
      fence,
      signal: lost.signal,
      expireIfOverdue,
      announce: (next) => {
        phase = next;
        renew().catch(() => {});
      },
      finish: free,
      abandon: () => free(null),
    };
  }

  const look = async (name) => {
    const [row] = await query(
      "SELECT *, expires > now() AS held FROM sign_in_locks WHERE name = $1",
      [name],
    );
    return row;
  };

  async function acquire(key, options) {
    const { signal, longestWorkSeconds, waitForLogin, onWaiting } = options;
    signal.throwIfAborted();
    const [name, owner, askedAt] = [nameOf(key), randomUUID(), clocks()];
    const fence = await take(name, owner);
    if (fence !== undefined) {
      const lease = leaseOf(name, owner, fence, askedAt);
      // Whoever asked for it has gone meanwhile.
      if (signal.aborted) await lease.abandon();
      signal.throwIfAborted();
      return lease;
    }
    // Somebody else has it: its outcome is this call's, too.
    const first = await look(name);
    let [phase, phaseAt] = [undefined, clocks()[0]];
    for (let row = first; ; row = await look(name)) {
      signal.throwIfAborted();
      if (row?.fence !== first?.fence || !row?.held) {
        const told = row?.fence === first?.fence ? row?.outcome : undefined;
        const outcome = told ? unseal(told, `outcome ${name} ${row.fence}`) : null;
        return { held: false, outcome };
      }
      if (row.phase !== phase) {
        if (row.phase === "login" && !waitForLogin) {
          throw new OidcError("interaction_pending", "Another program is signing in.");
        }
        [phase, phaseAt] = [row.phase, clocks()[0]];
        onWaiting({ phase });
      }
      if (clocks()[0] - phaseAt >= (longestWorkSeconds(phase) + graceSeconds) * 1000) {
        throw new OidcError(
          "cache_locked",
          "Another program is at it for longer than it can take.",
        );
      }
      await sleep(pollMilliseconds, undefined, { signal }).catch(() => {});
    }
  }

  return {
    level: "caller-key",
    location: "PostgreSQL",
    // A lease may run out while its holder is stopped: only this process knows that its earlier work has ended.
    reach: randomUUID(),
    read,
    replace,
    list: async () => (await query("SELECT name, sealed FROM sign_ins")).map(recordOf),
    acquire,
    holder: async (key) => {
      const row = await look(nameOf(key));
      return row?.held ? { phase: row.phase, since: row.since.getTime() } : undefined;
    },
  };
}

/** The first one stands still while a machine sleeps, the second one can be set back. */
function clocks() {
  return [performance.now(), Date.now()];
}

const pool = new Pool();
after(() => pool.end());
await pool.query(tables);
const open = async () => {
  await pool.query("TRUNCATE sign_ins, sign_in_locks");
  const secret = randomBytes(32);
  const [store, sameStore] = [postgresStore(pool, secret), postgresStore(pool, secret)];
  return { store, sameStore, close: async () => {} };
};

testTokenStore({ name: "PostgreSQL store", test, open });

test("what a holder writes that was stopped for longer than its lease takes nothing's place", async () => {
  const { store, sameStore } = await open();
  const options = {
    signal: new AbortController().signal,
    longestWorkSeconds: () => 60,
    waitForLogin: true,
    onWaiting: () => {},
  };
  const stopped = await store.acquire("key", options);
  await pool.query("UPDATE sign_in_locks SET expires = now() - interval '1 second'");
  const later = await sameStore.acquire("key", options);
  assert.ok(later.fence > stopped.fence);
  const record = { key: "key", version: "a.1" };
  assert.deepEqual(await sameStore.replace("key", undefined, record, later.fence), {
    replaced: true,
  });
  const late = await store.replace("key", "a.1", { key: "key", version: "b.1" }, stopped.fence);
  assert.deepEqual(late, { replaced: false, current: record, fenced: true });
  await stopped.finish({ kind: "done", version: "b.1" });
  assert.equal((await store.holder("key"))?.phase, "refresh");
  await later.abandon();
});
