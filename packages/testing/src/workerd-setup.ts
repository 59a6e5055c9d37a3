import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

// Runs before each test file. A file has a database of its own, which starts empty.
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
