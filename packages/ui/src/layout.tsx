import { raw } from "hono/html";
import type { Child, FC } from "hono/jsx";
import { ICON_PATH } from "./icon.ts";
import { STYLESHEET_HREF } from "./styles.ts";

/** `auto` follows the reader's system. */
export type Theme = "light" | "dark" | "auto";

export interface LayoutProps {
  readonly title: string;
  readonly theme?: Theme;
  /** Inside somebody else's page: narrow margins and a smaller title. */
  readonly embed?: boolean;
  /** What `<main>` is styled as. */
  readonly page: string;
  readonly children?: Child;
}

/**
 * The document around every page: one stylesheet, no script, nothing inline, so that a policy of
 * `default-src 'none'; style-src 'self'; img-src 'self'` holds.
 */
export const Layout: FC<LayoutProps> = ({ title, theme = "auto", embed = false, page, children }) => (
  <>
    {raw("<!DOCTYPE html>")}
    <html lang="en" data-theme={theme} class={embed ? "embed" : undefined}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={theme === "auto" ? "light dark" : theme} />
        <title>{title}</title>
        <link rel="stylesheet" href={STYLESHEET_HREF} />
        <link rel="icon" href={ICON_PATH} type="image/svg+xml" />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <main id="main" tabindex={-1} class={page}>
          {children}
        </main>
      </body>
    </html>
  </>
);

/** The name, with the line the water left. */
export const Wordmark: FC = () => (
  <span class="wordmark">
    <svg width="20" height="16" viewBox="0 0 20 16" aria-hidden="true">
      <path d="M1 5c3-4 6-4 9 0s6 4 9 0" />
      <path d="M1 11h18" />
    </svg>
    Tidemark
  </span>
);
