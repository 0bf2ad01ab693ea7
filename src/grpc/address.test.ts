import { expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { parseGrpcAddress } from "./address.ts";

test.each([
  [
    "grpcs://Data.Example.com:4367",
    "grpcs://data.example.com:4367",
    "https://data.example.com:4367",
  ],
  ["grpcs://data.example.com", "grpcs://data.example.com:443", "https://data.example.com"],
  ["grpcs://[2001:DB8::1]:443/", "grpcs://[2001:db8::1]:443", "https://[2001:db8::1]"],
  ["GRPC://127.0.0.1:50051", "grpc://127.0.0.1:50051", "http://127.0.0.1:50051"],
  ["grpc://localhost", "grpc://localhost:80", "http://localhost"],
  ["grpc://[::1]:9", "grpc://[::1]:9", "http://[::1]:9"],
])("%s is %s", (address, server, origin) => {
  expect(parseGrpcAddress(address)).toMatchObject({ server, origin });
});

function codeOf(address: string): string | undefined {
  try {
    parseGrpcAddress(address);
    return undefined;
  } catch (error) {
    return isOidcError(error) ? error.code : "another error";
  }
}

test.each([
  "",
  "data.example.com:4367",
  "https://data.example.com",
  "grpcs:data.example.com",
  "grpcs:///data",
  "grpcs://data.example.com:4367/path",
  "grpcs://data.example.com?x",
  "grpcs://data.example.com#x",
  "grpcs://name:password@data.example.com",
  "grpcs://data.example.com\\@evil.example",
  "grpcs://data.example.com:99999",
  "grpcs://data exam.ple",
  " grpcs://data.example.com",
])("%j is no such address", (address) => {
  expect(codeOf(address)).toBe("invalid_option");
});

test.each([
  "grpc://data.example.com:50051",
  "grpc://10.0.0.1:50051",
  "grpc://0.0.0.0:50051",
  "grpc://localhost.example.com:50051",
  "grpc://127.0.0.1.example.com:50051",
])("%s would go over plain text to another machine [D19]", (address) => {
  expect(codeOf(address)).toBe("insecure_url");
});
