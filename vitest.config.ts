import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

const NOT_OURS = ["**/node_modules/**", "**/dist/**", "**/.cache/**", "**/.wrangler/**"];

// The suffix of a test's name tells where it runs; a later group starts when the one before has ended.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx}"],
          exclude: [...NOT_OURS, "**/*.workerd.test.ts"],
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                // Any 32 bytes do. A secret is not in wrangler.toml, so the tests bring their own.
                KEY_PEPPER: "5a".repeat(32),
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
              },
            },
          })),
        ],
        test: {
          name: "workerd",
          include: ["**/*.workerd.test.ts"],
          exclude: NOT_OURS,
          setupFiles: ["packages/testing/src/workerd-setup.ts"],
          // Migrating a database and starting workerd for a file take seconds on a small machine.
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["**/*.e2e.ts"],
          exclude: NOT_OURS,
          // Each file starts servers and browsers: two at once would measure each other.
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
