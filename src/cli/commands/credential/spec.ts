// `latchkey credential` as data.

import { forceRefresh, interactive, minValiditySeconds, roleArn } from "../../flags.ts";
import type { ArgumentSpec, CommandSpec, FlagSpec } from "../../spec.ts";

const accessToken: FlagSpec = {
  name: "access-token",
  kind: "switch",
  summary: "take the access token instead",
};

/** cargo types it behind the name of a provider's program. */
const cargoPlugin: FlagSpec = {
  name: "cargo-plugin",
  kind: "switch",
  summary: "typed by cargo itself",
};

/** Which role of AWS is taken on. */
const roleFlags: readonly FlagSpec[] = [
  roleArn,
  {
    name: "role-session-name",
    kind: "text",
    summary: "a name for AWS's logs (else AWS_ROLE_SESSION_NAME, latchkey)",
    placeholder: "NAME",
  },
  {
    name: "region",
    kind: "text",
    summary: "whose endpoint is asked (else AWS_REGION, us-east-1)",
    placeholder: "REGION",
  },
  {
    name: "duration-seconds",
    kind: "wholeSeconds",
    summary: "lifetime of the role's credentials (default\u00a0AWS's own, an hour)",
    placeholder: "N",
  },
];

/** Typed by pip and uv themselves. */
const keyringFlags: readonly FlagSpec[] = [
  { name: "mode", kind: "text", summary: "creds: the user name too", placeholder: "MODE" },
  {
    name: "output",
    kind: "text",
    summary: "json: with --mode creds, as JSON",
    placeholder: "FORM",
    sharesName: true,
  },
];

const operation: ArgumentSpec = { name: "operation", what: "an operation of the tool" };

export const spec: CommandSpec = {
  name: "credential",
  place: 72,
  summary: "hand a token to a tool that asks for one",
  description:
    'Speaks the protocol in which a tool asks its helper for credentials; the tool runs it. Where the tool names a server, the configuration file says which profile serves it, [server."git.example.com"] with profile = "work", and no other server gets a token. Nobody is asked to sign in but for a tool that waits, at a terminal.',
  settings: "of-request",
  flags: [forceRefresh, minValiditySeconds, interactive],
  subcommands: [
    {
      name: "kubectl",
      summary: "for kubectl and programs like it: an exec plug-in",
      description:
        "Prints an ExecCredential with the ID token, for kubectl and every program that reads a kubeconfig. Understands the flags of kubelogin's get-token too.",
      flags: [accessToken],
      arguments: [
        { name: "operation", what: "get-token", values: ["get-token"], isOptional: true },
      ],
      examples: ["latchkey credential kubectl --profile kube"],
    },
    {
      name: "git",
      summary: "for git: a credential helper",
      description:
        "Gives git a bearer token where it and the server take one, else the token as a password. A token that the server refuses is renewed within the same git command, from git 2.46 on.",
      arguments: [operation],
      examples: ["printf 'protocol=https\\nhost=git.example.com\\n' | latchkey credential git get"],
    },
    {
      name: "docker",
      summary: "for docker, podman, skopeo, oras: a credential helper",
      description:
        'Gives a container tool the token as a password for a registry. The row of the registry may name the user, username = "oauth2" unless it does.',
      arguments: [operation],
      examples: ["echo registry.example.com | latchkey credential docker get"],
    },
    {
      name: "cargo",
      summary: "for cargo: a credential provider",
      description: "Gives cargo the Authorization header for a registry that wants one.",
      flags: [cargoPlugin],
      examples: ["latchkey credential cargo --cargo-plugin"],
    },
    {
      name: "gcp",
      summary: "for an external account of a cloud: an executable source",
      description:
        "Prints the ID token in the form that cloud libraries read from an executable. A failure is printed too, and the exit status stays 0, as they want it.",
      flags: [],
      examples: ["latchkey credential gcp --profile cloud"],
    },
    {
      name: "aws",
      summary: "for AWS's tools and libraries: a credential process",
      description:
        "Changes the ID token for credentials of a role (AssumeRoleWithWebIdentity) and prints them in the form of a credential_process. A token that AWS refuses as over is renewed once.",
      flags: roleFlags,
      examples: [
        "latchkey credential aws --profile cloud --role-arn arn:aws:iam::123456789012:role/developer",
      ],
    },
    {
      name: "bazel",
      summary: "for Bazel and build tools like it: a credential helper",
      description: "Prints the headers for the address that a build tool names.",
      arguments: [operation],
      examples: ["latchkey credential bazel get"],
    },
    {
      name: "terraform",
      summary: "for Terraform and OpenTofu: a credentials helper",
      description: "Prints the token for the host that Terraform names.",
      arguments: [operation, { name: "host", what: "a host", isOptional: true }],
      examples: ["latchkey credential terraform get registry.example.com"],
    },
    {
      name: "keyring",
      summary: "for pip and uv: what they run as keyring",
      description:
        "Gives pip or uv the token as the password for an index. They run it under the name keyring, which latchkey setup pip puts into a folder of its own. The row of the index may name the user.",
      flags: keyringFlags,
      arguments: [
        operation,
        { name: "service", what: "the address or the host of an index", isOptional: true },
        { name: "username", what: "a user name", isOptional: true },
      ],
      examples: ["latchkey credential keyring get https://pypi.example.com/simple/ oauth2"],
    },
    {
      name: "headers",
      summary: "for tools that take HTTP headers from a program: a JSON object",
      description:
        "Prints a JSON object with the Authorization header, as MCP clients take it. A program that asks again within seconds for the same token counts as refused, and the token is renewed.",
      examples: ["latchkey credential headers --profile mcp"],
    },
  ],
  examples: ["latchkey credential kubectl --profile kube", "latchkey credential git get"],
};
