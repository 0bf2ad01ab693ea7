// What the warm command knows of the flags of `latchkey token` that are not options. Made from their specs by
// `npm run generate`: change those instead.

/** Each with its kind, or with `=` and its accepted words. */
export const flagKinds =
  " json:switch header:switch format:=header|bearer|curl|env id-token:switch min-validity-seconds:wholeSeconds interactive:negatable profile:profile grant-type:=client_credentials client-secret-file:file ";

/** Those that are variables too. */
export const variableFlags = " interactive profile grant-type ";

/** Those that are keys of a profile too. */
export const profileFlags = " grant-type client-secret-file ";
