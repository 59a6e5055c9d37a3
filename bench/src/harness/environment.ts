/**
 * Imported before wrangler and Miniflare are, which read these when they load: nothing asks Cloudflare
 * for anything, and no request is traced while it is being measured.
 */
const QUIET = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
} as const;

for (const [name, value] of Object.entries(QUIET)) process.env[name] ??= value;
