// Changes when a check needs more of the person, the credential or the cache that it works with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore, isOidcError, OidcAuth } from "../../src/index.ts";
import type { OidcAuthOptions, OidcError, PromptEvent, TokenStore } from "../../src/index.ts";
import type { RequestTally } from "../support/counting-proxy.ts";
import type {
  ProviderFacts,
  ProviderUnderTest,
  TestClient,
  Visit,
  VisitEnd,
} from "./provider-under-test.ts";
import type { SessionRecord } from "../../src/record/format.ts";
import { recordsIn } from "../../src/session/record-repository.ts";

/** One person at one machine with an empty cache, signing in at one provider, for one check. */
export class Desk {
  readonly provider: ProviderUnderTest;
  readonly facts: ProviderFacts;
  readonly store: TokenStore;
  readonly events: PromptEvent[] = [];
  /** What the person saw last in a browser. */
  lastVisit: VisitEnd | undefined;
  readonly #folder: string;
  readonly #homeBefore = process.env["HOME"];
  readonly #problems: unknown[] = [];

  constructor(provider: ProviderUnderTest, facts: ProviderFacts) {
    this.provider = provider;
    this.facts = facts;
    this.#folder = mkdtempSync(join(tmpdir(), "latchkey-conformance-"));
    // The discovery cache and the lock's secret lie in the home folder.
    process.env["HOME"] = this.#folder;
    this.store = fileStore({ path: join(this.#folder, "tokens.json") });
  }

  /** A new credential, as another start of the program would make it. */
  credential(client: TestClient, changes: OidcAuthOptions = {}, visit: Visit = {}): OidcAuth {
    const { provider, facts } = this;
    return new OidcAuth({
      issuer: provider.issuer,
      clientId: client.clientId,
      clientSecret: client.clientSecret,
      scopes: facts.scopes,
      openBrowser: false,
      callbackPort: provider.callbackPort,
      callbackTimeoutSeconds: 15,
      caCertPath: provider.certificateAuthority?.path,
      store: this.store,
      onPrompt: (event) => this.#act(event, visit),
      ...changes,
    });
  }

  #act(event: PromptEvent, visit: Visit): void {
    this.events.push(event);
    if (event.type !== "authorizationUrl" && event.type !== "deviceCode") return;
    const failed = (error: unknown): void => {
      this.#problems.push(error);
      event.cancel();
    };
    if (event.type === "deviceCode") {
      this.provider.approveDevice(event, visit).catch(failed);
      return;
    }
    this.provider.signIn(event.url, visit).then((end) => {
      this.lastVisit = end;
      // The provider kept the person: nobody will come back to the listener.
      if (!end.isBackAtClient) event.cancel();
    }, failed);
  }

  /** The one sign-in that is cached. */
  async record(): Promise<SessionRecord> {
    const [record, ...more] = await recordsIn(this.store);
    if (record === undefined || more.length > 0) {
      throw new Error(`${more.length} records too many, or none`);
    }
    return record;
  }

  /** Changes the cached sign-in, as time or another machine would. */
  async alter(changes: Partial<SessionRecord>): Promise<void> {
    await this.#replace((record) => ({ ...record, ...changes }));
  }

  /** Leaves the cached sign-in without its ID token. */
  async forgetIdToken(): Promise<void> {
    await this.#replace(({ idToken: _idToken, ...rest }) => rest);
  }

  async #replace(change: (record: SessionRecord) => SessionRecord): Promise<void> {
    const record = await this.record();
    const next = { ...change(record), version: `${record.version}1` };
    const { replaced } = await this.store.replace(record.key, record.version, next);
    if (!replaced) throw new Error("the record changed meanwhile");
  }

  /** Lets the cached access token have ended a minute ago. */
  async expire(): Promise<void> {
    const { accessToken } = await this.record();
    if (accessToken === null) throw new Error("no access token to expire");
    const expiresAt = Math.floor(Date.now() / 1000) - 60;
    await this.alter({ accessToken: { ...accessToken, issuedAt: expiresAt - 600, expiresAt } });
  }

  /** Counting starts here. */
  startCounting(): void {
    this.provider.requests?.reset();
  }

  /** What was asked for since; undefined where nobody can count. */
  counted(): RequestTally | undefined {
    return this.provider.requests?.count();
  }

  /** The error that a call ends with. */
  async failure(promise: Promise<unknown>): Promise<OidcError> {
    const error: unknown = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!isOidcError(error)) {
      throw new Error("the call did not fail with an OidcError", { cause: error });
    }
    return error;
  }

  /** Removes the cache. Throws what went wrong for the person. */
  close(): void {
    process.env["HOME"] = this.#homeBefore;
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#problems.length > 0) {
      throw new AggregateError(this.#problems, "something went wrong for the person; see errors");
    }
  }
}
