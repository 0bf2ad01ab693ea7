// examples/own-prompt.mjs: show a part of the sign-in in your own way, greet by name, and handle errors.
import { isOidcError, OidcAuth, terminalPrompt } from "latchkey";

// Shows what the library shows without an `onPrompt`.
const inTerminal = terminalPrompt();
let interrupt = () => {};

const auth = new OidcAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
  applicationName: "Reports",
  openBrowser: false,
  onPrompt(event) {
    switch (event.type) {
      case "authorizationUrl":
        process.off("SIGINT", interrupt);
        interrupt = () => event.cancel();
        process.once("SIGINT", interrupt);
        console.log(`Reports wants you to sign in until ${event.expiresAt.toLocaleTimeString()}:`);
        console.log(event.url);
        break;
      case "settled":
        process.off("SIGINT", interrupt);
        inTerminal(event);
        console.log(event.error === undefined ? "Thank you." : "That did not work.");
        break;
      default:
        // A device code, another window that signs in, a warning: as the library says it.
        inTerminal(event);
    }
  },
});

try {
  await auth.getToken();
  const signIn = await auth.status();
  console.log(`Welcome, ${signIn?.name ?? "whoever you are"}.`);
} catch (error) {
  if (!isOidcError(error)) throw error;
  // Decide by the code; the message is for people.
  console.error(error.code === "aborted" ? "You cancelled." : `${error.message} [${error.code}]`);
  process.exitCode = 1;
} finally {
  await auth.close();
}
