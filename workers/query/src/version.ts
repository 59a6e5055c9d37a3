/** Of the API, as `info.version` and `/v1/health` tell it. */
export const VERSION = "0.1.0";
