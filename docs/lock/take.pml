/* How a lock in the user's folder is taken (src/lock/endpoint-folder.ts): numbers that are linked one above the last. What
   lock.pml calls `take` in one step is these steps here. Each may be killed between any two of them. */

#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef TURNS
#define TURNS 2
#endif
#define LAST 8

/* A number that is in the folder, and whether its socket still listens. Sized for one number beyond the last. */
bool there[LAST + 2];
bool alive[LAST + 2];
byte holders;

inline list(highest) {
  d_step {
    highest = 0;
    i = 1;
    do
    :: i <= LAST ->
       if
       :: there[i] -> highest = i
       :: else -> skip
       fi;
       i++
    :: else -> break
    od;
    i = 0
  }
}

proctype taker() {
  byte i, number, seen, turns;

again:
  if
  :: turns == TURNS -> goto done
  :: else -> list(number)
  fi;
look:
  if
  :: number == 0 -> skip
  :: number > 0 && there[number] && alive[number] -> goto again   /* held: the wait is lock.pml's */
  :: number > 0 && !(there[number] && alive[number]) -> skip
  fi;
  if
  :: there[number + 1] -> number++; goto look
  :: else -> skip
  fi;
  if
  :: number == LAST -> goto done
  :: else -> number++
  fi;
  atomic {
    if
    :: there[number] -> goto again
    :: else -> there[number] = true
    fi;
#ifndef LINKED_BEFORE_IT_LISTENS                                    /* MUTATION */
    alive[number] = true
#endif
  }
#ifdef LINKED_BEFORE_IT_LISTENS
  alive[number] = true;
#endif
  if
  :: alive[number] = false; goto done                               /* killed */
  :: skip
  fi;
#ifndef NO_SECOND_LIST                                              /* MUTATION */
  list(seen);
  if
  :: seen > number -> there[number] = false; alive[number] = false; turns++; goto again
  :: else -> skip
  fi;
#endif
  holders++;
  assert(holders == 1);                                             /* Safety: one holder at a time */
  seen = 1;
  do
  :: seen + 1 < number -> there[seen] = false; seen++
  :: else -> break
  od;
  seen = 0;
  if
  :: d_step { holders--; alive[number] = false }; goto done         /* killed */
  :: d_step {
       holders--;
       alive[number] = false;
#ifdef HIGHEST_IS_REMOVED                                           /* MUTATION */
       there[number] = false
#endif
     }
  fi;
  turns++;
  goto again;
done:
  skip
}

init {
  byte started;
  atomic {
    do
    :: started < PROCESSES -> run taker(); started++
    :: else -> break
    od
  }
}
