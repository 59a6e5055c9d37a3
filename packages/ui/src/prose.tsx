import type { FC } from "hono/jsx";

/** Paragraphs, with what stands between backticks as code. */
export const Prose: FC<{ readonly text: string }> = ({ text }) => (
  <>
    {text
      .split(/\n{2,}/)
      .filter((paragraph) => paragraph.trim() !== "")
      .map((paragraph) => (
        <p>
          <Inline text={paragraph} />
        </p>
      ))}
  </>
);

/** One line of the same. */
export const Inline: FC<{ readonly text: string }> = ({ text }) => (
  <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>
);
