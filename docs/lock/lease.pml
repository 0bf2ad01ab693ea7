/* A lock that ends with its time and not with its holder (src/store/redis, docs/lock/redis.md): what keeps a holder that
   was stopped for too long from undoing the work of a later one. Any process may stand still between any two of its steps,
   for as long as the others go on. What the work is otherwise made of is lock.pml's.

     SIGN_INS   who signs in instead of refreshing, a bit for each process (7: all three)
     EXPIRIES   how often the time of a lease may run out
     FORGETS    how often Redis may lose what it knows of locks, as at a failover */

#ifndef PROCESSES
#define PROCESSES 3
#endif
#define NOBODY 7
#ifndef SIGN_INS
#define SIGN_INS 0
#endif
#ifndef EXPIRIES
#define EXPIRIES 2
#endif
#ifndef FORGETS
#define FORGETS 0
#endif
#define signsIn(who) (((SIGN_INS) >> (who)) & 1)

/* ---- Redis: the lock, and what outlives it for an hour. ---- */
byte owner = NOBODY;
byte lastNumber;
byte lastFreed;
byte clock;          /* the server's: it goes on whatever is lost */

/* ---- Redis: the record. ---- */
byte version;
byte refreshToken = 1;
byte recordNumber;
byte intentOf = NOBODY;
bool intentIsOld;    /* 30 seconds */
bool isFresh;        /* its access token is good: somebody has renewed it */

/* ---- The holders' own clocks: the work has to end some time before the lease does. ---- */
bool overdue[PROCESSES];
byte expiries = EXPIRIES;
byte forgets = FORGETS;

/* ---- The provider. A refresh token that comes again ends the sign-in. ---- */
byte issued = 1;
byte newest = 1;     /* of this sign-in */
byte oldest = 1;

/* ---- What only the properties look at. ---- */
byte turns;          /* holders, in their order */
byte recordTurn;     /* of the last one that wrote */
bool unstored;       /* the answer to the newest request is not in the record */
bool isLate[PROCESSES]; /* the answer came into the record only after this one had announced its own request */
bool holding[PROCESSES];
bool wasForgotten;
byte over;

#define larger(one, other) ((one) > (other) -> (one) : (other))

inline take() {
  atomic {
    owner == NOBODY ->
    owner = me;
    clock++;
#ifndef NUMBER_WITHOUT_CLOCK                                        /* MUTATION */
    mine = clock;
#else
    mine = 0;
#endif
    mine = larger(mine, larger(lastNumber, recordNumber) + 1);
    lastNumber = mine;
    turns++;
    turn = turns;
    overdue[me] = false;
    holding[me] = true
  }
}

inline free() {
  atomic {
    if
    :: owner == me -> owner = NOBODY; lastFreed = mine
    :: else -> skip
    fi;
    holding[me] = false
  }
}

/* One script: the number, then the version, then the write. Gives whether it was made. */
#ifndef NO_FENCE                                                    /* MUTATION */
#define isFenced (mine < recordNumber)
#else
#define isFenced false
#endif

#ifndef RENEWED_AFTER_FREED                                         /* MUTATION */
#define isFreed (lastFreed >= mine)
#else
#define isFreed false
#endif

/* An announcement goes by the version alone. */
inline announced() {
  version++;
#ifdef NUMBERED_INTENT                                              /* MUTATION */
  recordNumber = mine;
#endif
  intentOf = me; intentIsOld = false; isLate[me] = false
}

inline wrote() {
  version++;
  recordNumber = mine;
  assert(recordTurn <= turn);                                       /* Safety: no earlier holder writes over a later one */
  recordTurn = turn
}

proctype program(byte me) {
  byte mine, turn, seen, token, answer;

again:
  take();
look:
  atomic { seen = version; token = refreshToken };
  if
  :: signsIn(me) -> goto sign_in
  :: !signsIn(me) && isFresh -> goto done
  :: !signsIn(me) && !isFresh -> skip
  fi;
  if
  :: intentOf != NOBODY && intentOf != me -> (intentIsOld || version != seen)
  :: else -> skip
  fi;
  atomic {
    if
    :: version != seen -> goto look
    :: version == seen -> announced(); seen = version
    fi
  }
  /* The look at the clocks, and the request: nothing comes between them. */
  atomic {
    if
#ifndef NO_LOOK                                                     /* MUTATION */
    :: overdue[me] -> goto lost
    :: !overdue[me] -> skip
#else
    :: true -> skip
#endif
    fi;
    if
    :: token < oldest -> issued++; answer = issued                  /* of an earlier sign-in, which is another one's */
    :: token >= oldest && token == newest -> issued++; newest = issued; answer = newest; unstored = true
    :: token >= oldest && token != newest ->
       assert(unstored || isLate[me]);                              /* Safety: no token is sent twice unless its answer was not stored */
       answer = 0
    fi
  }
  if
  :: answer == 0 -> goto lost
  :: answer > 0 && overdue[me] -> goto lost                         /* given up: the lease ran out on the way */
  :: answer > 0 -> skip                                             /* or the answer was there before that was seen */
  fi;
  /* A sign-in that somebody has stored meanwhile stays; an announcement does not. */
  atomic {
    if
    :: isFenced ->
       assert(refreshToken != token);                               /* Safety: an answer takes the place of the token that it replaced */
       goto lost
    :: !isFenced && refreshToken == token ->
       if
       :: intentOf != NOBODY -> isLate[intentOf] = true
       :: else -> skip
       fi;
       wrote();
       if
       :: answer == newest -> unstored = false
       :: else -> skip
       fi;
       refreshToken = answer; intentOf = NOBODY; isFresh = true; goto done
    :: !isFenced && refreshToken != token -> goto lost
    fi
  };

sign_in:
  /* A person signs in: a sign-in of its own at the provider. */
  atomic { issued++; newest = issued; oldest = issued; answer = issued; unstored = true };
write_sign_in:
  /* It takes the place of whatever it finds. */
  seen = version;
  atomic {
    if
    :: isFenced -> goto lost
    :: !isFenced && version != seen -> goto write_sign_in
    :: !isFenced && version == seen ->
       wrote();
       if
       :: answer == newest -> unstored = false
       :: else -> skip
       fi;
       refreshToken = answer; intentOf = NOBODY; isFresh = true
    fi
  }
done:
  free();
  goto end;
lost:
  free();
  if
  :: isFresh || answer > 0 || signsIn(me) -> skip
  :: !isFresh && answer == 0 && !signsIn(me) && turns < 2 * PROCESSES -> goto again
  :: turns >= 2 * PROCESSES -> skip
  fi;
end:
  /* A renewal whose answer was lost is sent again, and may come only now. */
  atomic {
    if
    :: true -> skip
    :: owner == NOBODY && lastNumber <= mine && !isFreed ->
       assert(holding[me] || wasForgotten || lastFreed < mine);  /* Safety: a lock that was freed is not taken back */
       lastNumber = mine
    fi;
    over++
  }
}

/* Time, and Redis. */
proctype world() {
  do
  :: atomic { expiries > 0 && owner != NOBODY && !overdue[owner] -> overdue[owner] = true; expiries-- }
  :: atomic { owner != NOBODY && overdue[owner] -> owner = NOBODY }
  /* Whoever stands still since it wrote that has not renewed its lease since, which ends earlier. */
  :: atomic {
       intentOf != NOBODY && !intentIsOld && owner != intentOf -> intentIsOld = true; overdue[intentOf] = true
     }
  :: atomic { forgets > 0 -> forgets--; wasForgotten = true; owner = NOBODY; lastNumber = 0; lastFreed = 0 }
  :: over == PROCESSES -> break
  od
}

init {
  byte started;
  atomic {
    run world();
    do
    :: started < PROCESSES -> run program(started); started++
    :: else -> break
    od
  }
}
