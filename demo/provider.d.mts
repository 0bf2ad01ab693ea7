// Changes with what provider.mjs offers: the types of that file.

export interface DemoProvider {
  readonly issuer: string;
  /** What Latchkey and the server asked for since the last call, one word for each request, in order of arrival. */
  takeRequests(): readonly string[];
  /** Closes the socket and every connection. A second call does nothing. */
  close(): Promise<void>;
}

export const clientId: string;
export function startProvider(): Promise<DemoProvider>;
