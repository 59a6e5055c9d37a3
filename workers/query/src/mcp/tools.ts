import { METRIC_TOOLS } from "./metric-tools.ts";
import type { Tool } from "./tool.ts";
import { USAGE_TOOLS } from "./usage-tools.ts";

/** Every tool, in the order in which an agent reads of them. */
export const TOOLS: readonly Tool[] = [...METRIC_TOOLS, ...USAGE_TOOLS];
