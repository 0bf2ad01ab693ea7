import { afterAll, beforeAll, expect, test } from "vitest";
import { buildCommandLine, createHome, run, type BuiltCommandLine, type Home } from "./testing.ts";

let built: BuiltCommandLine;
let home: Home;
beforeAll(async () => {
  built = await buildCommandLine();
  home = createHome();
});
afterAll(() => {
  built.remove();
  home.remove();
});
const configuration = { issuer: "https://id.example.com", clientId: "my-cli" };
test("hit", async () => {
  home.remember(configuration);
  const args = ["token", "--issuer=https://id.example.com", "--client-id=my-cli"];
  console.error(await run(built.warm, args, { home }));
  console.error(await run(built.full, args, { home }));
  console.error(await run(built.full, ["status"], { home }));
  console.error(await run(built.full, ["--help"], { home }));
  console.error(await run(built.full, ["token", "--help"], { home }));
});
