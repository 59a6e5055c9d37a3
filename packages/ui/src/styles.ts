import { hash32 } from "@tidemark/core/fingerprint";
import { CHART_STYLES } from "./styles/charts.ts";
import { BASE_STYLES } from "./styles/base.ts";
import { DOCUMENT_STYLES } from "./styles/documents.ts";
import { PRINT_STYLES } from "./styles/print.ts";
import { REPORT_STYLES } from "./styles/report.ts";
import { TABLE_STYLES } from "./styles/tables.ts";

/** The one stylesheet of every page. */
export const STYLESHEET = `@layer base, parts, medium;
@layer base {${BASE_STYLES}}
@layer parts {${REPORT_STYLES}${TABLE_STYLES}${CHART_STYLES}${DOCUMENT_STYLES}}
@layer medium {${PRINT_STYLES}}
`.replace(/\n\s*/g, "\n");

/** Where it is served; the query is its content's hash, so that it can be cached for ever. */
export const STYLESHEET_PATH = "/assets/tidemark.css";
export const STYLESHEET_HREF = `${STYLESHEET_PATH}?v=${hash32(STYLESHEET, 0).toString(16)}`;
