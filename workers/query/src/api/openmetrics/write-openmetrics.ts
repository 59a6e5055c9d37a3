/** Figures of one kind, as OpenMetrics 1.0 calls them a metric family. */
export interface Family {
  /** With the unit as its end, where it has one. */
  readonly name: string;
  readonly type: "gauge" | "info";
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Families as OpenMetrics text. */
export function writeOpenMetrics(families: readonly Family[]): string {
  return `${families.map(writeFamily).join("")}# EOF\n`;
}

function writeFamily({ name, type, unit, help, samples }: Family): string {
  const suffix = type === "info" ? "_info" : "";
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escape(help)}`,
    ...samples.map(({ labels, value }) => `${name}${suffix}${writeLabels(labels)} ${value}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function writeLabels(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Half of a surrogate pair has no UTF-8. */
function escape(text: string): string {
  return text.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
