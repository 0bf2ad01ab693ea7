// The code for a proxy that closed the connection instead of answering CONNECT. Changes when it is told in another way.

/** Stands apart, so that neither whoever makes it (with undici) nor whoever explains it loads the other. */
export const proxyHungUpCode = "PROXY_HUNG_UP";
