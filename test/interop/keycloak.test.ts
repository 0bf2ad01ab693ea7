// The table of checks on Keycloak, which takes too long to start for every run. Changes when Keycloak can do something
// that the others can't.
import { afterAll } from "vitest";
import { Matrix } from "../conformance/matrix.ts";
import { keycloak } from "../conformance/providers/keycloak.ts";
import { runChecks } from "../conformance/run-checks.ts";

const matrix = new Matrix();
// The first run downloads 177 MB.
const longestStartSeconds = 600;

afterAll(() => matrix.print());

runChecks(keycloak, matrix, longestStartSeconds);
