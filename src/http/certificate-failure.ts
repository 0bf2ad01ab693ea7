// Says what is wrong with the certificate that a host showed.

import type { PeerCertificate, DetailedPeerCertificate } from "node:tls";
import { OidcError, type Reason, sanitizeProviderText } from "../core/errors.ts";
import { option, say, type Wording } from "../core/wording.ts";
import type { FailurePlace } from "./failure.ts";
import { lookUp } from "./lookup.ts";

/** How long the second look may take. */
const maxLookMilliseconds = 3000;
const maxChain = 10;
const maxName = 100;
const maxPath = 300;
const maxNames = 5;

type CertificateReason = Exclude<Reason<"tls">, "certificate" | "protocol">;

const reasons: Readonly<Record<string, CertificateReason>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "self_signed",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown_issuer",
  UNABLE_TO_GET_ISSUER_CERT: "unknown_issuer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown_issuer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown_issuer",
  CERT_UNTRUSTED: "unknown_issuer",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not_yet_valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "wrong_host",
  HOSTNAME_MISMATCH: "wrong_host",
};

/** What else the explanation depends on. */
export interface Circumstances {
  readonly remainingMilliseconds: number;
  readonly signal: AbortSignal;
  readonly now: number;
  /** The file of trusted roots that is set. */
  readonly caCertPath: string | undefined;
}

/** The chain as shown, leaf first, or nothing. */
type Chain = readonly PeerCertificate[];

function chainOf(leaf: DetailedPeerCertificate): Chain {
  const chain: PeerCertificate[] = [];
  let current: DetailedPeerCertificate | undefined = leaf;
  while (current?.raw !== undefined && chain.length < maxChain) {
    chain.push(current);
    // A self-signed certificate is its own issuer here.
    current = current.issuerCertificate === current ? undefined : current.issuerCertificate;
  }
  return chain;
}

/**
 * A second connection that shows its certificate whatever it is worth. Nothing is sent over it; what it shows is
 * used for the message alone.
 */
function lookAtCertificates(
  url: URL,
  maxMilliseconds: number,
  signal: AbortSignal,
): Promise<Chain> {
  const { connect } = process.getBuiltinModule("node:tls");
  const { isIP } = process.getBuiltinModule("node:net");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: url.port === "" ? 443 : Number(url.port),
      rejectUnauthorized: false,
      lookup: lookUp,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    const finish = (chain: Chain): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(chain);
    };
    const stop = (): void => finish([]);
    const timer = setTimeout(stop, maxMilliseconds);
    signal.addEventListener("abort", stop, { once: true });
    socket.on("error", stop);
    socket.on("close", stop);
    socket.on("secureConnect", () => finish(chainOf(socket.getPeerCertificate(true))));
    if (signal.aborted) stop();
  });
}

function shown(text: unknown): string {
  const first: unknown = Array.isArray(text) ? text[0] : text;
  return typeof first === "string" ? sanitizeProviderText(first, maxName) : "";
}

function issuerOf(chain: Chain): string {
  const issuer = chain.at(-1)?.issuer;
  return shown(issuer?.CN) || shown(issuer?.O);
}

function day(text: string | undefined): string {
  const instant = Date.parse(text ?? "");
  return Number.isNaN(instant) ? "" : new Date(instant).toISOString().slice(0, 10);
}

function namesOf(certificate: PeerCertificate | undefined): string {
  const names = (certificate?.subjectaltname ?? "")
    .split(", ")
    .map((name) => shown(name.replace(/^(?:DNS|IP Address):/, "")))
    .filter((name) => name !== "");
  return names.slice(0, maxNames).join(", ") + (names.length > maxNames ? " …" : "");
}

/** What a certificate is refused for, and what to do. */
interface Described {
  readonly what: string;
  readonly remedy: string | Wording;
}

function describe(
  reason: CertificateReason,
  chain: Chain,
  place: FailurePlace,
  { now, caCertPath }: Pick<Circumstances, "now" | "caCertPath">,
): Described {
  // To be told to set what is set already helps nobody: it is another root that the file holds.
  const file = caCertPath === undefined ? "" : sanitizeProviderText(caCertPath, maxPath);
  const untrusted = file === "" ? "is not trusted here" : `neither this machine nor ${file} trusts`;
  const whereTo =
    file === ""
      ? say`set ${option("caCertPath")}`
      : say`add it to that file, or set ${option("caCertPath")} to another one`;
  switch (reason) {
    case "self_signed":
      return {
        what: `that it signed itself, which ${untrusted}`,
        remedy: say`If it is the right one, save it as PEM and ${whereTo}.`,
      };
    case "unknown_issuer": {
      const issuer = issuerOf(chain);
      const by = issuer === "" ? "by an authority" : `by "${issuer}"`;
      return {
        what: `issued ${by}, which ${untrusted}`,
        remedy: say`Save that root as PEM and ${whereTo}.`,
      };
    }
    case "expired": {
      const expired = chain.find((certificate) => Date.parse(certificate.valid_to) < now);
      const since = day(expired?.valid_to);
      return {
        what: `that ${since === "" ? "is no longer valid" : `expired on ${since}`}`,
        remedy: "Whoever runs the host has to renew it; is this machine's clock right?",
      };
    }
    case "not_yet_valid": {
      const early = chain.find((certificate) => Date.parse(certificate.valid_from) > now);
      const from = day(early?.valid_from);
      return {
        what: `that is not valid yet${from === "" ? "" : ` (from ${from})`}`,
        remedy: "Is this machine's clock right?",
      };
    }
    case "wrong_host": {
      const unnamed = chain.length === 0 ? "other hosts" : "no host name at all";
      const names = namesOf(chain[0]) || unnamed;
      return { what: `for ${names}, not for ${place.hostname}`, remedy: "Is the address right?" };
    }
    default: {
      return reason satisfies never;
    }
  }
}

/**
 * The error for a certificate that was refused, in words that say which and why; the error as it was where the code
 * is about something else. Through a proxy no second look is taken, because it would go around the proxy.
 */
export async function explainCertificate(
  error: OidcError,
  tlsCode: string,
  url: URL,
  place: FailurePlace,
  circumstances: Circumstances,
): Promise<OidcError> {
  const reason = reasons[tlsCode];
  if (reason === undefined) return error;
  const longest = Math.min(maxLookMilliseconds, Math.max(0, circumstances.remainingMilliseconds));
  const chain =
    place.proxyHost === undefined
      ? await lookAtCertificates(url, longest, circumstances.signal)
      : [];
  const { what, remedy } = describe(reason, chain, place, circumstances);
  return new OidcError(
    "tls",
    `${place.host} (${place.step}) shows a certificate ${what}. The request was not sent.`,
    { reason, remedy, cause: error.cause },
  );
}
