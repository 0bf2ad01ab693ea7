// Asks the User API of OpenShift whom a token stands for: its OAuth server has no other way to tell.

import { readSuccess, refusesToken, type BearerQuestion } from "../bearer-questions.ts";

type Claims = Readonly<Record<string, unknown>>;

const userPath = "/apis/user.openshift.io/v1/users/~";
const nobody = ["system:anonymous", "system:unauthenticated"];

/** The name of a person who is signed in; undefined for what is not one. */
function nameOf({ kind, metadata, groups }: Claims): string | undefined {
  if (kind !== "User" || typeof metadata !== "object" || metadata === null) return undefined;
  const { name } = metadata as Claims;
  if (typeof name !== "string" || name.trim() === "" || nobody.includes(name)) return undefined;
  const isNobody = Array.isArray(groups) && groups.some((group) => nobody.includes(String(group)));
  return isNobody ? undefined : name;
}

/**
 * The question, at the address of the API or at the whole one of `users/~`.
 * https://docs.redhat.com/en/documentation/openshift_container_platform/4.21/html/user_and_group_apis/user-user-openshift-io-v1
 */
export const openShiftQuestion: BearerQuestion = {
  request: (address, token) => {
    const url = new URL(address);
    // The address of the API itself will do.
    if (url.pathname === "/") url.pathname = userPath;
    return {
      method: "GET",
      url: url.href,
      step: "User API",
      headers: { authorization: `Bearer ${token.reveal()}` },
    };
  },
  read: async (answer, token) => {
    if (refusesToken(answer) || answer.status === 404) return undefined;
    const user = await readSuccess(answer, "User API", token);
    const name = nameOf(user);
    // OpenShift's own rules go by the name, and not every user has a `uid`.
    return name === undefined ? undefined : { ...user, sub: name };
  },
};
