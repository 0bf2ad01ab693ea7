/*
 * The lock across processes as a model for Spin. README.md beside it says in plain words what stands for what.
 * Changes when the protocol of lock/ and session/ does. Run by scripts/check-lock-model.mjs.
 *
 * What a run is about (each by -DNAME or -DNAME=VALUE):
 *   PROMPTERS       who may ask the person, a bit for each process (7: all three, 0: nobody)
 *   NOTHING_CACHED  there is no record at first; else one with an expired access token and a refresh token
 *   FORGIVING       the provider repeats its last answer; else a repeated refresh token ends the sign-in
 *   ENDED           the provider may have ended the sign-in before the run
 *   DEATHS          how many of the three processes may be killed, each at any step
 *   FAULTS          how many requests may get lost, unanswered or declined while their sender lives
 *   ABORTS          who renews the tokens may give up while it waits for the provider
 *   LATE_REQUESTS   a request arrives at any time after it was sent, even after the death of its sender
 *   EXPIRES         the new access token may end at any step, so that the next call renews again
 *   LOGOUT          somebody may log out at any step
 * Each name after "MUTATION" takes away one guard; scripts/check-lock-model.mjs proves that each is missed.
 */

#define PROCESSES 3
#define LOGGING_OUT 3 /* the fourth that reads and writes the record */
#define NOBODY 7

#ifndef PROMPTERS
#define PROMPTERS 0
#endif
#ifndef DEATHS
#define DEATHS 3
#endif
#ifndef FAULTS
#define FAULTS 0
#endif

/* The unanswered sign-ins that are allowed; 3 in an hour in the product, 2 here, so that three processes exceed it. */
#define MOST_PROMPTS 2

#define mayPrompt(who) (((PROMPTERS) >> (who)) & 1)

/* What a follower hears, and how a call ends. */
#define SILENCE 0
#define DONE 1
#define END_OF_FILE 2
#define NETWORK 3      /* no answer, or an error that says nothing of the refresh token: a failure for everybody */
#define DENIED 4       /* access_denied */
#define UNANSWERED 5   /* callback_timeout */
#define ABORTED 6
#define NO_TOKEN 7     /* login_required, with its reasons from here on */
#define REFUSED 8      /* refresh_refused */
#define LOST 9         /* refresh_lost */
#define BUDGET 10      /* prompt_budget */
#define PENDING 11     /* interaction_pending */

/* Step 4 of lock.md: whether the holder's failure is the outcome of a follower too. */
#define isShared(what, who) \
  ((what) >= NETWORK && (what) != ABORTED && ((what) < NO_TOKEN || !mayPrompt(who)))

/* Answers of the provider that are no token. */
#define INVALID_GRANT 30
#define NO_ANSWER 31
#define DECLINED 32 /* another error: nothing was done with the refresh token */

/* ---- The record in the file. Tokens are numbers; an access token has the number of the refresh token beside it. ---- */
byte refreshToken;  /* 0: none */
byte accessToken;   /* 0: none, or expired */
bool intent;        /* a refresh was about to be sent */
byte whyGone;        /* why the refresh token went: LOST or REFUSED */
byte attempts;      /* sign-ins that were begun and not answered */

/* Who compares with a version that is no longer the record's. Versions never repeat, so this is all there is to them. */
bool changed[PROCESSES + 1];

/* The file's lock: held for compare and rename. */
byte fileLock = NOBODY;

/* ---- The key's lock: an object of the kernel. Connections to its holder. ---- */
byte lock = NOBODY;
bool atLogin;                     /* the phase that the holder has announced */
byte follows[PROCESSES] = NOBODY; /* to whom a process is connected */
byte news[PROCESSES];             /* what has come over that connection */
bool heardLogin[PROCESSES];       /* "phase login" has come, and the process may not ask the person */

/* ---- The provider. ---- */
byte current;       /* the newest refresh token */
byte oldest;        /* the first one of this sign-in: older ones belong to another */
bool alive = true;  /* false: the sign-in was ended */
byte reply[PROCESSES];
#ifdef LATE_REQUESTS
byte request[PROCESSES];
#endif
byte faults = FAULTS;

/* ---- The operating system. ---- */
bool dead[PROCESSES];
byte over;          /* calls that have ended, by an outcome or by death */
bool isOver[PROCESSES];

/* ---- What only the properties look at. ---- */
byte inside;                    /* processes that act as holder */
bool working[PROCESSES];
byte newestStored;              /* the newest token that was ever in the file */
bool answerLeft[PROCESSES];     /* an answer with new tokens left the provider and is not stored */
bool answerLost;                /* ... and never will be */
bool sent[PROCESSES];           /* a request left, and its outcome is not stored */
bool orphan;                    /* a request outlived its sender */
byte requestsLeft = 1;          /* a death, a fault, an abort and the end of a token each allow one more */
byte window = NOBODY;           /* whose sign-in is open before the person */
bool asking[PROCESSES];         /* has asked the person, and what came of it is not stored or told */
byte promptsLeft = 1;           /* a death, a refusal, a lost answer and a logout each allow one more */
byte unanswered;
bool mustShare[PROCESSES];      /* was told of a failure that is its own outcome too */
bool reused;                     /* the provider ended the sign-in because a refresh token came again */
bool signedIn;                  /* a sign-in of this run is stored, and nobody has logged out since */
bool loggedOut;
bool gone;                      /* logged out, and nobody has signed in since */
hidden byte each;

/* The newest refresh token is in the file; or the one before it, with an intent that says so. Checked after every
 * change at the provider or in the file. */
#define nothingLost \
  (refreshToken == 0 || !alive || answerLost || orphan || refreshToken == current || \
   (refreshToken + 1 == current && intent))

/* Every write makes the version that others have read an old one. */
inline written(who) {
  each = 0;
  do
  :: each <= PROCESSES -> changed[each] = changed[each] || each != who; each++
  :: else -> break
  od
}

/* All who are still connected to a process that is gone read the end of the file. */
inline hangUp(who) {
  each = 0;
  do
  :: each < PROCESSES ->
     if
     :: follows[each] == who && news[each] == SILENCE -> news[each] = END_OF_FILE
     :: else
     fi;
     each++
  :: else -> break
  od
}

/* ---- The provider's part. ---- */
/* A refresh token that was used before: the sign-in ends where the provider does not forgive it, or where it is older
 * than the last answer. */
inline reuse() {
  alive = false; reused = true; signedIn = false; promptsLeft++;
  assert(answerLost || orphan) /* Safety: no token is sent twice unless its answer was lost */
}

inline answer(who, sentToken) {
  if
  :: !alive || sentToken < oldest -> reply[who] = INVALID_GRANT
  :: alive && sentToken >= oldest && sentToken == current ->
     current++; reply[who] = current; answerLeft[who] = true
#ifdef FORGIVING
  :: alive && sentToken >= oldest && sentToken + 1 == current ->
     reply[who] = current; answerLeft[who] = true
  :: alive && sentToken >= oldest && sentToken + 1 < current -> reuse(); reply[who] = INVALID_GRANT
#else
  :: alive && sentToken >= oldest && sentToken < current -> reuse(); reply[who] = INVALID_GRANT
#endif
  fi;
  if
  :: dead[who] ->
     reply[who] = 0; answerLost = answerLost || answerLeft[who]; answerLeft[who] = false
  :: !dead[who]
  :: !dead[who] && faults > 0 ->
     faults--; requestsLeft++; answerLost = answerLost || answerLeft[who]; answerLeft[who] = false;
     reply[who] = NO_ANSWER
  fi;
  assert(nothingLost) /* Safety: no rotated token is lost */
}

#ifdef LATE_REQUESTS
proctype provider() {
end:
  do
  :: atomic { request[0] != 0 -> answer(0, request[0]); request[0] = 0 }
  :: atomic { request[1] != 0 -> answer(1, request[1]); request[1] = 0 }
  :: atomic { request[2] != 0 -> answer(2, request[2]); request[2] = 0 }
  od
}
#endif

/* ---- The file's part: compare and swap under the file's lock. ---- */
inline beginSwap() {
  atomic {
#ifndef NO_FILE_LOCK /* MUTATION */
    fileLock == NOBODY; fileLock = me;
#endif
    conflict = changed[me]
#ifdef NO_COMPARE /* MUTATION */
    ; conflict = false
#endif
  }
}

inline endSwap() {
#ifndef NO_FILE_LOCK
  assert(fileLock == me); /* Safety: one writer at a time */
  fileLock = NOBODY;
#endif
  conflict = false
}

inline readRecord() {
  changed[me] = false;
  token = refreshToken; fresh = accessToken; again = intent
}

/* ---- The holder's part: the outcome to each follower, then the lock. A death between leaves some without one. ---- */
inline finish(what) {
  each1 = 0;
  do
  :: atomic { each1 < PROCESSES ->
       if
       :: follows[each1] == me && news[each1] == SILENCE ->
          news[each1] = what;
          mustShare[each1] = mustShare[each1] || isShared(what, each1)
       :: else
       fi;
       each1++ }
  :: atomic { each1 == PROCESSES -> each1 = 0; break }
  od;
  atomic {
    if
    :: lock == me -> lock = NOBODY
    :: else
    fi;
    hangUp(me);
    working[me] = false; inside--
  }
}

inline leave() {
  follows[me] = NOBODY; news[me] = SILENCE; heardLogin[me] = false
}

/* The sign-in that is about to begin is counted durably. Not by compare and swap alone: after a logout it counts anew. */
inline countAttempt() {
  do
  :: beginSwap();
     if
     :: atomic { conflict -> changed[me] = false; endSwap() }
     :: atomic { !conflict && attempts >= MOST_PROMPTS -> endSwap(); why = BUDGET; goto finishing }
     :: atomic { !conflict && attempts < MOST_PROMPTS -> attempts++; written(me); endSwap(); break }
     fi
  od;
  why = 0
}

#ifdef ABORTS
/* Nobody waits for the answer any more. */
inline abandon() {
  sent[me] = false; requestsLeft++; reply[me] = 0;
  answerLost = answerLost || answerLeft[me]; answerLeft[me] = false;
#ifdef LATE_REQUESTS
  orphan = orphan || request[me] != 0
#endif
}
#endif

inline handOut(what) {
  assert(what != 0 && what <= newestStored) /* Safety: no token is seen before it is stored */
}

proctype caller(byte me) {
  byte token, fresh, why, each1;
  bool again, conflict, resent;
  {
    /* Step 0: the record, without the lock. */
    atomic {
      readRecord();
      if
      :: fresh != 0 -> why = DONE; goto outcome
      :: else
#ifndef NO_REREAD_UNDER_LOCK
        -> token = 0; again = false
#endif
      fi
    };

#ifdef NEVER_TAKES_AGAIN
    goto take;
connectAgain:
    goto connect;
#endif

take: /* Step 2. */
    atomic {
      if
      :: lock == NOBODY -> lock = me; atLogin = false; goto holding
      :: else
      fi
    };

connect: /* Step 3. */
    atomic {
      if
      :: lock == NOBODY ->
#ifdef NEVER_TAKES_AGAIN /* MUTATION */
         goto connectAgain
#else
         goto take
#endif
      :: else -> follows[me] = lock; news[me] = SILENCE; heardLogin[me] = atLogin && !mayPrompt(me)
      fi
    };

    /* Step 4. The phase comes before the outcome, but a holder may die before either was read. */
    if
    :: atomic { heardLogin[me] -> why = PENDING; leave(); goto outcome }
    :: atomic { news[me] == END_OF_FILE ->
#ifdef WAITER_IGNORES_EOF /* MUTATION */
         false;
#endif
         leave();
#ifdef EOF_MEANS_OWNERSHIP /* MUTATION */
         goto holding
#endif
       }
    :: atomic { news[me] != SILENCE && news[me] != END_OF_FILE -> why = news[me]; leave() }
    fi;
    atomic {
      fresh = accessToken;
      if
      :: fresh != 0 -> why = DONE; goto outcome
#ifndef FAILED_NOT_SHARED /* MUTATION */
      :: fresh == 0 && isShared(why, me) -> goto outcome
      :: fresh == 0 && !isShared(why, me) -> why = 0; goto take
#else
      :: else -> why = 0; goto take
#endif
      fi
    };

holding: /* Step 5: the record again, under the lock. */
    atomic {
      if
      :: !working[me] -> working[me] = true; inside++
      :: else
      fi;
      assert(inside == 1); /* Safety: one holder at a time */
#ifndef NO_REREAD_UNDER_LOCK /* MUTATION */
      readRecord();
#endif
#ifdef FRESHNESS_NOT_ASKED_AGAIN /* MUTATION */
      fresh = 0;
#endif
      if
      :: fresh != 0 -> why = DONE; goto finishing
      :: fresh == 0 && token == 0 -> goto noRefreshToken
      :: fresh == 0 && token != 0
      fi
    };

    /* Step 6: the intent, durably, before the request. */
#ifndef NO_INTENT /* MUTATION */
#ifndef INTENT_AFTER_REQUEST /* MUTATION */
#ifdef INTENT_MEANS_LOST /* MUTATION */
    if
    :: again -> why = LOST; goto finishing
    :: else
    fi;
#endif
    beginSwap();
    if
    :: atomic { conflict -> endSwap();
#ifndef NO_REREAD_UNDER_LOCK
         goto holding
#endif
       }
    :: atomic { !conflict -> intent = true; written(me); endSwap() }
    fi;
#endif
#endif

send:
    atomic {
      assert(!mustShare[me]); /* Safety: who is told of a failure does not try too */
      assert(accessToken == 0); /* Safety: no request while a token is there */
      assert(requestsLeft > 0); /* Safety: one request, and one more for each that was lost */
      requestsLeft--;
      sent[me] = true;
      if
#ifdef LATE_REQUESTS
      :: true -> request[me] = token
#else
      :: true -> answer(me, token)
#endif
      :: faults > 0 -> faults--; requestsLeft++; reply[me] = NO_ANSWER /* it never arrives */
      :: faults > 0 -> faults--; requestsLeft++; reply[me] = DECLINED
      fi
    };
#ifdef INTENT_AFTER_REQUEST
    atomic {
      if
      :: !changed[me] -> intent = true; written(me)
      :: else
      fi
    };
#endif
    if
    :: atomic { reply[me] == NO_ANSWER && !resent -> reply[me] = 0; resent = true; again = true;
         goto send }
    :: atomic { reply[me] == NO_ANSWER && resent -> reply[me] = 0; sent[me] = false; why = NETWORK;
         goto finishing }
    :: atomic { reply[me] == DECLINED -> reply[me] = 0; sent[me] = false; why = NETWORK;
         if
#ifndef WITHDRAWN_AFTER_LOSS /* MUTATION */
         :: again -> goto finishing /* an earlier answer may have been lost: the intent stays */
#endif
         :: else -> goto withdrawing
         fi }
    :: atomic { reply[me] == INVALID_GRANT -> reply[me] = 0 }
    :: atomic { reply[me] != 0 && reply[me] < INVALID_GRANT -> fresh = reply[me]; reply[me] = 0;
#ifdef TOKEN_BEFORE_DURABLE /* MUTATION */
         handOut(fresh);
#endif
         goto storing }
#ifdef ABORTS
    :: atomic { sent[me] -> abandon(); why = ABORTED; goto finishing }
#endif
    fi;

    /* invalid_grant: the refresh token goes, if it is still the one that is stored; the reason stays. */
    beginSwap();
    if
    :: atomic { conflict -> endSwap() }
    :: atomic { !conflict ->
#ifndef REFUSED_TOKEN_STAYS /* MUTATION */
         refreshToken = 0;
#endif
         intent = false;
#ifndef REASON_FORGOTTEN /* MUTATION */
         if
         :: again -> whyGone = LOST
         :: !again -> whyGone = REFUSED
         fi;
#endif
         assert(!gone); /* Safety: what was logged out stays so */
         written(me); endSwap() }
    fi;
    atomic {
      sent[me] = false; token = 0;
      if
      :: again -> why = LOST
      :: !again -> why = REFUSED
      fi;
      goto noRefreshToken
    };

storing: /* The new record is durable before anybody hears of it. */
#ifdef FREE_BEFORE_DURABLE /* MUTATION */
    finish(DONE);
#endif
    beginSwap();
    if
    :: atomic { conflict -> /* logged out meanwhile: the tokens are thrown away */
         endSwap(); sent[me] = false; answerLeft[me] = false; fresh = 0; why = NO_TOKEN }
    :: atomic { !conflict ->
         refreshToken = fresh; accessToken = fresh; intent = false; whyGone = 0;
         newestStored = fresh; sent[me] = false; answerLeft[me] = false;
         assert(!gone); /* Safety: what was logged out stays so */
         assert(nothingLost); /* Safety: no rotated token is lost */
         written(me); endSwap(); why = DONE }
    fi;
#ifdef FREE_BEFORE_DURABLE
    goto outcome;
#endif
    goto finishing;

withdrawing: /* answered, and nothing was done: the intent goes */
    beginSwap();
    if
    :: atomic { conflict -> endSwap() }
    :: atomic { !conflict -> intent = false;
         assert(nothingLost); /* Safety: no rotated token is lost */
         written(me); endSwap() }
    fi;
    goto finishing;

noRefreshToken:
    atomic {
      if
      :: mayPrompt(me)
      :: !mayPrompt(me) && why != 0 -> goto finishing
      :: !mayPrompt(me) && why == 0 && whyGone != 0 -> why = whyGone; goto finishing
      :: !mayPrompt(me) && why == 0 && whyGone == 0 -> why = NO_TOKEN; goto finishing
      fi
    };

    d_step { /* "phase login" to those who follow */
      atLogin = true;
      each = 0;
      do
      :: each < PROCESSES ->
         if
         :: follows[each] == me && !mayPrompt(each) -> heardLogin[each] = true
         :: else
         fi;
         each++
      :: else -> break
      od
    };
#ifndef NO_BUDGET /* MUTATION */
#ifndef COUNTED_AFTER_OPENING /* MUTATION */
    countAttempt();
#endif
#endif
    atomic {
      assert(window == NOBODY); /* Safety: one prompt at a time */
      assert(!mustShare[me]); /* Safety: who is told of a failure does not try too */
      assert(!signedIn); /* Safety: no prompt after a sign-in */
      assert(promptsLeft > 0); /* Safety: one prompt, and one more for each that came to nothing */
      window = me; promptsLeft--; unanswered++; asking[me] = true;
      assert(unanswered <= MOST_PROMPTS) /* Safety: no more prompts than the budget allows */
    };
#ifdef COUNTED_AFTER_OPENING
    countAttempt();
#endif
    if /* the person */
    :: atomic { true -> window = NOBODY; current++; oldest = current; alive = true; fresh = current }
    :: atomic { true -> window = NOBODY; asking[me] = false; promptsLeft++; unanswered = 0; why = DENIED }
    :: atomic { true -> window = NOBODY; asking[me] = false; promptsLeft++; why = UNANSWERED; goto finishing }
    fi;

recording: /* a sign-in is newer than a logout: it is stored, whatever is there; a denial is an answer too */
    beginSwap();
    if
    :: atomic { conflict -> changed[me] = false; endSwap(); goto recording }
    :: atomic { !conflict && why == DENIED -> attempts = 0; written(me); endSwap() }
    :: atomic { !conflict && why != DENIED ->
         refreshToken = fresh; accessToken = fresh; intent = false; whyGone = 0; attempts = 0;
         newestStored = fresh; asking[me] = false; unanswered = 0;
         signedIn = true; gone = false; answerLost = false; orphan = false;
         assert(nothingLost); /* Safety: no rotated token is lost */
         written(me); endSwap(); why = DONE }
    fi;

finishing:
    finish(why);

outcome:
    atomic {
      if
      :: why == DONE -> handOut(fresh)
      :: why == NETWORK ->
         assert(FAULTS > 0) /* Safety: every outcome has its reason */
      :: why == DENIED || why == UNANSWERED || why == BUDGET ->
         assert((PROMPTERS) != 0) /* Safety: every outcome has its reason */
      :: why == PENDING ->
         assert(!mayPrompt(me) && (PROMPTERS) != 0) /* Safety: every outcome has its reason */
#ifdef ABORTS
      :: why == ABORTED
#endif
      :: why == NO_TOKEN -> /* Safety: nothing is lost without a word: only who logged out has no token */
#ifdef NOTHING_CACHED
         skip
#else
         assert(loggedOut) /* Safety: a loss is told as a loss */
#endif
      :: why == REFUSED ->
#ifdef ENDED
         skip
#else
         assert(orphan) /* Safety: a loss is told as a loss */
#endif
      :: why == LOST ->
#ifdef ENDED
         skip /* a death between intent and request makes it look so */
#else
         assert(reused) /* Safety: refresh_lost only when it is */
#endif
      fi;
      isOver[me] = true; over++;
      token = 0; fresh = 0; why = 0; again = false; resent = false
    }
  } unless {
    atomic {
      dead[me] ->
      over++;
      token = 0; fresh = 0; why = 0; each1 = 0; again = false; conflict = false; resent = false
    }
  }
}

#ifdef LOGOUT
proctype logout() {
  byte me = LOGGING_OUT;
  bool conflict;
again:
  atomic {
    changed[me] = false;
    if
    :: refreshToken == 0 && accessToken == 0 && attempts == 0 && whyGone == 0 -> goto done
    :: else
    fi
  };
  beginSwap();
  if
  :: atomic { conflict -> endSwap(); goto again }
  :: atomic { !conflict ->
       refreshToken = 0; accessToken = 0; intent = false; whyGone = 0; attempts = 0;
       loggedOut = true; gone = true; signedIn = false; unanswered = 0; promptsLeft++;
       written(me); endSwap() }
  fi;
done:
  skip
}
#endif

#ifdef EXPIRES
proctype time() {
end:
  if
  :: atomic { accessToken != 0 -> accessToken = 0; requestsLeft++ }
  :: true
  fi
}
#endif

/* ---- Death: at any step, of any process, each once. What the kernel does then happens at once. ---- */
#define mayDie(who) (left > 0 && !dead[who] && !isOver[who])

inline kill(who) {
  left--;
  dead[who] = true;
  if
#ifndef LOCK_SURVIVES_DEATH /* MUTATION */
  :: lock == who -> lock = NOBODY
#endif
  :: else
  fi;
  hangUp(who);
  if
  :: fileLock == who -> fileLock = NOBODY
  :: else
  fi;
  if
  :: working[who] -> working[who] = false; inside--
  :: else
  fi;
  follows[who] = NOBODY; news[who] = SILENCE; heardLogin[who] = false; mustShare[who] = false;
  if
  :: sent[who] -> sent[who] = false; requestsLeft++
  :: else
  fi;
  answerLost = answerLost || answerLeft[who]; answerLeft[who] = false; reply[who] = 0;
#ifdef LATE_REQUESTS
  orphan = orphan || request[who] != 0;
#endif
  if
  :: window == who -> window = NOBODY
  :: else
  fi;
  if
  :: asking[who] -> asking[who] = false; promptsLeft++
  :: else
  fi
}

proctype death() {
  byte left = DEATHS;
  do
  :: d_step { mayDie(0) -> kill(0) }
  :: d_step { mayDie(1) -> kill(1) }
  :: d_step { mayDie(2) -> kill(2) }
  :: true -> left = 0; break
  od
}

init {
  atomic {
#ifdef NOTHING_CACHED
    oldest = 1;
#else
    refreshToken = 1; current = 1; oldest = 1; newestStored = 1;
#endif
#ifdef ENDED
    if
    :: alive = false
    :: alive = true
    fi;
#endif
    run caller(0); run caller(1); run caller(2);
#ifdef LATE_REQUESTS
    run provider();
#endif
#ifdef LOGOUT
    run logout();
#endif
#ifdef EXPIRES
    run time();
#endif
    run death()
  };
  atomic {
    over == PROCESSES;
    assert(lock == NOBODY && inside == 0 && window == NOBODY); /* Safety: nothing is left behind */
    assert(fileLock >= PROCESSES) /* Safety: nothing is left behind */
  }
}

/* Liveness: every call ends, by an outcome or by death. Nobody is left waiting. */
ltl everyCallEnds { <> (over == PROCESSES) }
