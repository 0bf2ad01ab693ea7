// Changes when oidc-provider asks its storage adapter for something else.
interface StoredPayload {
  consumed?: number;
  grantId?: string;
  uid?: string;
  userCode?: string;
  [member: string]: unknown;
}

/** What oidc-provider expects of a storage adapter, one instance for each of its models. */
export interface StorageAdapter {
  upsert(id: string, payload: StoredPayload): Promise<void>;
  find(id: string): Promise<StoredPayload | undefined>;
  findByUid(uid: string): Promise<StoredPayload | undefined>;
  findByUserCode(userCode: string): Promise<StoredPayload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

/** What ends with its grant: tokens and codes, not sessions and interactions. */
const modelsOfAGrant = new Set(["AccessToken", "AuthorizationCode", "DeviceCode", "RefreshToken"]);

/**
 * Storage of one provider, in memory. Unlike the one that oidc-provider brings, it forgets nothing however long a test
 * runs, and it is strict: of two requests that race with one refresh token or code, the second ends the grant.
 */
export function createStorage(alreadyUsedError: () => Error): (model: string) => StorageAdapter {
  const payloads = new Map<string, StoredPayload>();

  const findWhere = (
    model: string,
    matches: (payload: StoredPayload) => boolean,
  ): StoredPayload | undefined => {
    for (const [key, payload] of payloads) {
      if (key.startsWith(`${model}:`) && matches(payload)) return payload;
    }
    return undefined;
  };

  const revokeByGrantId = (grantId: string): void => {
    for (const [key, payload] of payloads) {
      const model = key.slice(0, key.indexOf(":"));
      if (payload.grantId === grantId && modelsOfAGrant.has(model)) payloads.delete(key);
    }
  };

  return (model) => ({
    async upsert(id, payload) {
      payloads.set(`${model}:${id}`, payload);
    },
    async find(id) {
      return payloads.get(`${model}:${id}`);
    },
    async findByUid(uid) {
      return findWhere(model, (payload) => payload.uid === uid);
    },
    async findByUserCode(userCode) {
      return findWhere(model, (payload) => payload.userCode === userCode);
    },
    async consume(id) {
      const payload = payloads.get(`${model}:${id}`);
      if (payload === undefined || payload.consumed !== undefined) {
        if (payload?.grantId !== undefined) revokeByGrantId(payload.grantId);
        throw alreadyUsedError();
      }
      payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      payloads.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      revokeByGrantId(grantId);
    },
  });
}
