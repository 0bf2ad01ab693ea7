// Changes with what stand-in-browser.mjs offers: the types of that file.

export interface SignInOptions {
  /** The name typed into the login form. Default "alice". */
  readonly login?: string;
  /** PEM of the authority to trust, instead of the usual ones. */
  readonly certificateAuthority?: string;
  /** Press Cancel (or Abort) on the first page that has it. */
  readonly deny?: boolean;
  readonly signal?: AbortSignal;
  /** The address is the client's own start address, and leads on to the provider's page. Default false. */
  readonly fromStart?: boolean;
  /** An address beyond loopback that may be visited too, such as one of a private network namespace. */
  readonly otherHost?: string;
}

export interface VisitOptions extends SignInOptions {
  /** Typed where a device page asks for it; not needed with a complete verification address. */
  readonly userCode?: string;
}

export interface Visit {
  /** Every address that was asked for, in order. */
  readonly visited: readonly string[];
  readonly finalUrl: string;
  readonly finalPage: string;
  readonly finalStatus: number;
  /** The client's callback address with its parameters, without them where they were posted; absent where the provider sent nobody there. */
  readonly redirectUrl?: string;
}

export interface SignIn extends Visit {
  readonly redirectUrl: string;
}

/**
 * Opens an address as a person's browser would: follows redirects, keeps cookies, fills in oidc-provider's own pages.
 * @throws {Error} for a host beyond loopback, an unknown form, an error page of the provider, more than 30 steps
 */
export function visit(url: string, options?: VisitOptions): Promise<Visit>;

/** {@link visit} that must end at the client's loopback listener. */
export function signIn(url: string, options?: SignInOptions): Promise<SignIn>;

/** {@link visit} that must end at the provider: the person's part of the device flow. */
export function approveDevice(url: string, options?: VisitOptions): Promise<Visit>;
