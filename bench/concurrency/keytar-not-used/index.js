// Stands where @azure/msal-node-extensions imports keytar, whose native part needs libsecret's headers to be built.
// Changes when the bench keeps msal-node's cache in a keychain: the plain file that it uses needs none of this.
"use strict";

module.exports = {};
