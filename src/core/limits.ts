// Every bound on what comes from outside, in one place. Changes when a bound does.

/** Longest HTTP answer that is read, in decoded bytes (N02, N03). */
export const maxResponseBytes: number = 1024 * 1024;
/** Longest token answer member (access token, refresh token, ID token) in characters (T15). */
export const maxTokenCharacters: number = 128 * 1024;
/** Objects and lists within each other in the header or the claims of a token (K07). */
export const deepestTokenJson = 100;
/** Longest URL that metadata may name or that is shown to a person, in characters. */
export const maxUrlCharacters: number = 8 * 1024;
/** Longest message of a gRPC server that says which provider to use, in bytes (D19). */
export const maxServerMessageBytes: number = 64 * 1024;
/** Longest time that a gRPC server is asked for its provider, in seconds (D19). */
export const maxServerQuestionSeconds = 10;
/** Longest text that a server says of its provider: a client, an audience, all scopes, in characters (D19). */
export const maxServerTextCharacters = 2048;
/** Scopes that a server may name (D19). */
export const maxScopes = 50;
/** Renewals that one process has under way with one provider: those after them take their lock when they can begin. */
export const maxRenewalsAtOnce = 100;
/** Connecting to a host, in seconds (N01). */
export const connectTimeoutSeconds = 10;
/** A connection that has rested for longer is not used for another request, in seconds. */
export const maxRestSeconds = 4;
/** Longest `Retry-After` that is obeyed, in seconds (N07). */
export const maxRetryAfterSeconds = 60;
/** Keys of a key set that are looked at (T08). */
export const maxJsonWebKeys = 100;
/** Clock difference that is tolerated in ID tokens, in seconds (T11). */
export const clockToleranceSeconds = 60;
/** Longest token lifetime that is believed, in seconds: ten years (T19). */
export const maxLifetimeSeconds: number = 10 * 365 * 24 * 3600;
/** The last instant that a `Date` can hold, in seconds since the epoch: anything beyond is no time (T11, T19). */
export const maxInstantSeconds: number = 8.64e12;
/** Longest cache file that is read, in bytes (C08). */
export const maxCacheFileBytes: number = 16 * 1024 * 1024;
/** Longest record of one sign-in that is kept, in characters: a cache file may be shared by many. */
export const maxRecordCharacters: number = 1024 * 1024;
/** Longest configuration, CA bundle or secret file that is read, in bytes. */
export const maxUserFileBytes: number = 4 * 1024 * 1024;
/** Discovery document without cache headers is used for so long, in seconds. */
export const metadataLifetimeSeconds: number = 24 * 3600;
/** Key set without cache headers is used for new sign-ins for so long, in seconds. */
export const keySetLifetimeSeconds = 3600;
/** For one fetch of a key set because of keys that it does not have, in seconds (K08). */
export const keySetCoolDownSeconds = 30;
/** A resource server goes on with keys that it cannot renew for so long after their lifetime, in seconds (K09). */
export const maxStaleKeysSeconds: number = 24 * 3600;
/** Longest access token that a resource server looks at, in characters (K16). */
export const maxAccessTokenCharacters: number = 64 * 1024;
/** Longest proof of possession that a resource server looks at, in characters (K33). */
export const maxProofCharacters: number = 8 * 1024;
/** A proof of possession is accepted for so long after it was made, in seconds (K32). */
export const maxProofAgeSeconds = 60;
/** Proofs that are remembered so that none counts twice; each takes about a hundred bytes (K32). */
export const maxProofsRemembered = 500_000;
/** Verified tokens that a resource server remembers, where nothing else is set. */
export const maxVerifiedTokens = 10_000;
/** What a provider said of a token is used for so long by a resource server where nothing else is set, in seconds (K11). */
export const defaultAnswerLifetimeSeconds = 30;
/** The longest time that can be set for that, in seconds: for so long a revoked token may be accepted (K11). */
export const maxAnswerLifetimeSeconds = 60;
/** A token that a provider does not know, or that is refused by what it said, is not asked about again for so long. */
export const refusedAnswerLifetimeSeconds = 5;
/** Memory for what providers said of tokens, in bytes. */
export const maxAnswerBytes: number = 16 * 1024 * 1024;
/** Questions about tokens that are under way at once, and those that wait for their turn. */
export const maxQuestions = 64;
export const maxWaitingQuestions = 1000;
/** Answers that servers share: the longest one, in characters (K36). */
export const maxSharedAnswerCharacters: number = 64 * 1024;
/** A server that does not get to them within so long asks by itself, in milliseconds (K36). */
export const maxSharedLookMilliseconds = 1000;
/** Then it leaves them alone for so long. Longer than a look, so that one question at a time waits for them. */
export const sharedPauseMilliseconds = 2000;
/** The other servers leave a question to the one that asks for so long (K36). */
export const sharedTurnMilliseconds = 3000;
/** Longest time that a server waits for another one's answer: a turn, and somewhat more. */
export const sharedWaitMilliseconds = 3500;
/** Longest time that a resource server waits for a provider that it cannot do without, in seconds. */
export const maxKeyRequestSeconds = 10;
/** Longest time that cached metadata or keys are used for a new sign-in, whatever their headers say, in seconds. */
export const maxMetadataLifetimeSeconds: number = 24 * 3600;
/** Shortest time that cached metadata or keys are used, whatever their headers say, in seconds. */
export const shortestMetadataLifetimeSeconds = 300;
/** Longest time that a device code is believed to be good for, in seconds (V09). */
export const maxDeviceCodeSeconds = 1800;

/** Between two polls of the device flow where the provider names no interval, in seconds (RFC 8628 section 3.2). */
export const usualPollIntervalSeconds = 5;

/** Shortest and longest interval that a provider may ask for, in seconds (V09). */
export const shortestPollIntervalSeconds = 1;
export const maxPollIntervalSeconds = 60;

/** Longest user code that is shown, in characters (V09). */
export const maxUserCodeCharacters = 64;

/**
 * The loopback listener: request headers, in bytes (L12). Browsers send every program's cookies for 127.0.0.1 to every
 * port of it; they are read, and dropped.
 */
export const listenerHeaderBytes: number = 64 * 1024;
/** The loopback listener: the form of an answer that is posted, in bytes (L12). */
export const listenerFormBytes: number = 64 * 1024;
/** The loopback listener: time for a request's headers, in seconds (L12). */
export const listenerHeaderSeconds = 5;
/** The loopback listener: time for a whole request, in seconds (L12). */
export const listenerRequestSeconds = 10;
/** The loopback listener: connections at once (L12). */
export const listenerConnections = 64;
/** The outcome page may still be fetched for so long after the sign-in ended, in seconds. */
export const outcomePageSeconds = 1;
/** A waiter without the lock holder's proof gives up after so long, in seconds of its own running event loop. */
export const lockProofSeconds = 10;
/** A waiter goes on waiting for so long after it has seen that the lock's holder is a stopped process, in seconds. */
export const lockStoppedSeconds = 5;
/** For whoever asked for a lock, before anybody else tries to take it, in seconds. */
export const lockHeadStartSeconds = 1;
/** A waiter waits for so long beyond the work that it waits for, in seconds. */
export const lockGraceSeconds = 5;
/** Longest message between lock holder and waiter, in bytes. */
export const maxLockMessageBytes: number = 16 * 1024;
/** The userinfo endpoint is asked for a person's name for so long after a sign-in, in seconds. */
export const maxNameRequestSeconds = 5;

/** A token that is handed out is good for at least so long, in seconds, where a call does not say. */
export const defaultMinValiditySeconds = 60;
