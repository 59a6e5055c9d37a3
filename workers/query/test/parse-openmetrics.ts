/** A family as a reader of OpenMetrics 1.0 sees it. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Mutable = { -readonly [Key in keyof ParsedFamily]: ParsedFamily[Key] } & { samples: ParsedSample[] };

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const META = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) ([^]*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{([^]*)\\})? (-?[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/** Reads OpenMetrics text line by line, and throws at the first line that the format does not allow. */
export function parseOpenMetrics(text: string): readonly ParsedFamily[] {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.pop() !== "# EOF") throw new Error("The text must end with # EOF and a line feed.");
  const families = new Map<string, Mutable>();
  let current: Mutable | undefined;
  for (const line of lines) {
    const [, kind, name = "", rest = ""] = META.exec(line) ?? [];
    if (kind === undefined) {
      current?.samples.push(parseSample(line, current));
      if (current === undefined) throw new Error(`A sample before its family: ${line}`);
      continue;
    }
    if (name !== current?.name) {
      if (families.has(name)) throw new Error(`The family ${name} stands in two places.`);
      current = { name, type: "", unit: null, help: "", samples: [] };
      families.set(name, current);
    }
    if (current.samples.length > 0) throw new Error(`${kind} after samples: ${line}`);
    if (kind === "TYPE") current.type = rest;
    if (kind === "HELP") current.help = unescape(rest);
    if (kind === "UNIT") {
      if (!name.endsWith(`_${rest}`)) throw new Error(`${name} does not end with its unit ${rest}.`);
      current.unit = rest;
    }
  }
  return [...families.values()];
}

function parseSample(line: string, { name, type, samples }: Mutable): ParsedSample {
  const [, sampleName, labelText = "", value] = SAMPLE.exec(line) ?? [];
  if (sampleName !== (type === "info" ? `${name}_info` : name)) throw new Error(`Not a sample of ${name}: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < labelText.length; at = LABEL.lastIndex) {
    const [, label, raw] = LABEL.exec(labelText) ?? [];
    if (label === undefined || raw === undefined || label in labels) throw new Error(`Bad labels: ${line}`);
    labels[label] = unescape(raw);
  }
  const key = JSON.stringify(labels);
  if (samples.some((other) => JSON.stringify(other.labels) === key)) throw new Error(`The same series twice: ${line}`);
  return { name: sampleName, labels, value: Number(value) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([^])/g, (_, character: string) => (character === "n" ? "\n" : character));
}
