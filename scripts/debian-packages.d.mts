// Changes with what debian-packages.mjs offers: the types of that file.

export interface NeededProgram {
  readonly command: string;
  readonly debianPackage: string;
  readonly with?: readonly string[];
  readonly answers?: string;
  readonly optional?: boolean;
  readonly mode?: "long";
}

export const neededPrograms: Readonly<
  Record<
    | "cargo"
    | "chromium"
    | "curl"
    | "dockerRegistry"
    | "dbus"
    | "fish"
    | "gcc"
    | "git"
    | "glewlwyd"
    | "gnomeKeyring"
    | "ip"
    | "java"
    | "kubectl"
    | "maven"
    | "nats"
    | "openssl"
    | "postgresql"
    | "prometheus"
    | "redis"
    | "script"
    | "skopeo"
    | "spin"
    | "sqlite3"
    | "strace"
    | "terraform"
    | "tinyproxy"
    | "unshare"
    | "unzip"
    | "zbarimg"
    | "zsh",
    NeededProgram
  >
>;
export function reasonOfMissing(program: NeededProgram): string;
export function isOptionalSkip(skipped: string): boolean;
export function findCommand(command: string): string | undefined;
export function installMissingPrograms(mode?: string): void;
