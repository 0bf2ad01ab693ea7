// Changes with what debian-packages.mjs offers: the types of that file.

export const neededPrograms: Readonly<
  Record<"chromium" | "openssl", { readonly command: string; readonly debianPackage: string }>
>;
export function findCommand(command: string): string | undefined;
export function installMissingPrograms(): void;
