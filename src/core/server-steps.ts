// The steps in which a server is asked whose address a person gave; in any other step it is the provider.

export const serverSteps = { configuration: "server configuration", request: "request" } as const;
