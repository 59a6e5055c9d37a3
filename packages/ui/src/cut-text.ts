const characters = new Intl.Segmenter("en");

/** A text of at most so many characters, as readers count them; one that was cut ends with an ellipsis. */
export function cutText(text: string, lengthMax: number): string {
  const shown = Array.from(characters.segment(text), ({ segment }) => segment);
  return shown.length <= lengthMax ? text : `${shown.slice(0, lengthMax - 1).join("")}…`;
}
