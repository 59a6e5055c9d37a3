/** The wave over its line, for browser tabs. */
export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0c6672"/>' +
  '<path d="M5 13c4-6 7-6 11 0s7 6 11 0M5 22h22" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>';

/** Where it is served, as `image/svg+xml`. */
export const ICON_PATH = "/assets/tidemark.svg";
