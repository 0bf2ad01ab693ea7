// The scopes that are asked for where nobody sets any: the authorization request sends them, and the key of a cached
// sign-in takes them for the same as none.

/** OpenID Connect Core section 5.4: who signed in, by which name and address. */
export const defaultScopes: readonly string[] = ["openid", "profile", "email"];
