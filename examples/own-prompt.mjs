// examples/own-prompt.mjs: show the sign-in in your own way, and handle its errors.
import { isOidcError, OidcAuth } from "latchkey";

const auth = new OidcAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
  applicationName: "Reports",
  openBrowser: false,
  onPrompt(event) {
    switch (event.type) {
      case "authorizationUrl":
        process.once("SIGINT", () => event.cancel());
        console.log(`Reports wants you to sign in until ${event.expiresAt.toLocaleTimeString()}:`);
        console.log(event.url);
        break;
      case "deviceCode":
        console.log(`Enter ${event.userCode} at ${event.verificationUri}`);
        break;
      case "waitingForOther":
        console.log("Another window of Reports is signing in.");
        break;
      case "warning":
        console.log(`Note: ${event.message}`);
        break;
      case "settled":
        console.log(event.error === undefined ? "Thank you." : "That did not work.");
        break;
    }
  },
});

try {
  const { claims } = await auth.getToken();
  console.log(`Welcome, ${String(claims?.name)}.`);
} catch (error) {
  if (!isOidcError(error)) throw error;
  // Decide by the code; the message is for people.
  console.error(error.code === "aborted" ? "You cancelled." : `${error.message} [${error.code}]`);
  process.exitCode = 1;
}
