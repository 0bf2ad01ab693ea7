// Which codes of Node's errors are about TLS, and what about it.

const untrusted: ReadonlySet<string> = new Set([
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
const otherCertificateCodes: ReadonlySet<string> = new Set([
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
]);

/** True where no way led from the certificate to a root that is trusted. */
export function isUntrustedCode(code: string): boolean {
  return untrusted.has(code);
}

/** True where a certificate was refused for what stands in it. */
export function isCertificateCode(code: string): boolean {
  return untrusted.has(code) || otherCertificateCodes.has(code) || code.startsWith("CERT_");
}

/** True where no TLS connection came about. */
export function isTlsCode(code: string): boolean {
  return isCertificateCode(code) || /^ERR_(?:SSL|TLS)_/.test(code) || code === "EPROTO";
}
