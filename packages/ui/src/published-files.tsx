import type { FC } from "hono/jsx";

/** Where the same figures are as files: relative addresses, with whatever key the reader came with. */
export interface FileLinks {
  readonly csv: string;
  readonly json: string;
}

/** Where a reader takes the figures from. */
export const Files: FC<FileLinks> = ({ csv, json }) => (
  <p class="files">
    Download <a href={csv}>CSV</a> <a href={json}>JSON</a>
  </p>
);
