// The public entry point `latchkey/stores/keychain`: exports alone.

export {
  encryptedFileStore,
  keychainStore,
  type EncryptedFileStoreSettings,
  type KeychainStoreSettings,
} from "../credential/sealed-file-stores.ts";
