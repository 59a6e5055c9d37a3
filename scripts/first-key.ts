import { makeKey } from "./make-key.ts";

/**
 * The first key of a deployment, which no API can make because there is no key to call it with yet.
 * Prints SQL for D1 on the standard output, and the key, once, on the standard error.
 */
const pepper = process.env["KEY_PEPPER"];
if (pepper === undefined || !/^[0-9a-f]{64}$/.test(pepper)) {
  console.error("Set KEY_PEPPER to the secret of the deployment, 64 hexadecimal digits: openssl rand -hex 32");
  process.exit(2);
}
const { key, id, hash } = makeKey("admin", pepper);
const now = Date.now();
// Nothing here comes from outside: ids and hashes are letters and digits.
console.log(
  `INSERT INTO projects (id, name, time_zone, catalog_version, created_at) VALUES ('default', 'Default', 'UTC', 1, ${now}) ON CONFLICT DO NOTHING; ` +
    `INSERT INTO api_keys (project_id, id, name, scopes, hash, created_at) VALUES ('default', '${id}', 'first key', 'admin', '${hash}', ${now});`,
);
console.error(`The admin key of the project "default", shown this once:\n${key}`);
