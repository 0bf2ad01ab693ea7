// Changes when the provider of the simulation does. A token endpoint with rotation: each refresh gives a new refresh token,
// and one that comes a second time is counted and ends its sign-in. Answers after a while, as one far away does.
import { createServer } from "node:http";

const [latency = "50", lifetime = "300"] = process.argv.slice(2);
/** The refresh token of each sign-in that counts. @type {Map<string, string>} */
const newest = new Map();
const counts = { requests: 0, reused: 0, most: 0 };
let open = 0;

const server = createServer((request, response) => {
  if (request.url === "/counts") {
    response.end(JSON.stringify(counts));
    Object.assign(counts, { requests: 0, reused: 0, most: 0 });
    return;
  }
  let body = "";
  request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
  request.once("end", () => {
    counts.requests += 1;
    open += 1;
    counts.most = Math.max(counts.most, open);
    const token = new URLSearchParams(body).get("refresh_token") ?? "";
    const [name, number] = token.split(".");
    const isReused = newest.has(name) && newest.get(name) !== token;
    if (isReused) counts.reused += 1;
    const next = `${name}.${Number(number) + 1}.${"r".repeat(200)}`;
    if (!isReused) newest.set(name, next);
    setTimeout(() => {
      open -= 1;
      response.setHeader("content-type", "application/json");
      response.statusCode = isReused ? 400 : 200;
      response.end(
        JSON.stringify(
          isReused
            ? { error: "invalid_grant" }
            : {
                access_token: `${next}.${"a".repeat(1000)}`,
                refresh_token: next,
                token_type: "Bearer",
                expires_in: Number(lifetime),
              },
        ),
      );
    }, Number(latency));
  });
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address().port));
process.once("disconnect", () => process.exit());
