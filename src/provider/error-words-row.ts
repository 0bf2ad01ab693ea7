// What a row of the tables of providers' errors is, and when it is about an error. Changes when rows tell more apart.

import { option, say, type Wording } from "../core/wording.ts";

/** What an error means and what to change. */
export interface Advice {
  /** A whole sentence. */
  readonly meaning: string;
  /** Whole sentences. */
  readonly remedy?: Wording;
}

/** One translation: the first row whose every given part matches is taken. */
export interface ErrorWords extends Advice {
  /** The provider's `error`. */
  readonly error?: string;
  /** Found in `error_description`. */
  readonly description?: RegExp;
  /** Only where the client sent a secret, or only where it sent none. */
  readonly secretSent?: boolean;
  /** Only for this `grant_type`. */
  readonly grantType?: string;
}

/** What is known about a refused request. */
export interface RefusedRequest {
  readonly error: string;
  readonly description: string | undefined;
  readonly secretSent: boolean;
  readonly grantType?: string | undefined;
}

/** Whether a row is about a refused request. */
export function isAbout(row: ErrorWords, refused: RefusedRequest): boolean {
  if (row.error !== undefined && row.error !== refused.error) return false;
  if (row.secretSent !== undefined && row.secretSent !== refused.secretSent) return false;
  if (row.grantType !== undefined && row.grantType !== refused.grantType) return false;
  return row.description === undefined || row.description.test(refused.description ?? "");
}

/** Where the redirect URI is another one than those of the registration. */
export const redirectAdvice: Advice = {
  meaning: "The redirect URI is not registered for this client.",
  remedy: say`Register the one that is sent, exactly, or set ${option("redirectUri")} and ${option("callbackPort")} to a registered one.`,
};

/** Where a confidential client sent no secret. */
export const confidentialAdvice: Advice = {
  meaning: "This client is confidential and its secret is missing.",
  remedy: say`Set ${option("clientSecret")}, or register the client as public.`,
};
