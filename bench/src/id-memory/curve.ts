const WIDTH = 50;

export interface Point {
  readonly label: string;
  readonly value: number;
}

/** A bar for each point, the longest as wide as the curve: flat is good. */
export function renderCurve(points: readonly Point[], unit: string): string {
  const most = Math.max(...points.map((point) => point.value));
  const labelWidth = Math.max(...points.map((point) => point.label.length));
  return points
    .map(
      ({ label, value }) =>
        `${label.padStart(labelWidth)} |${"#".repeat(Math.round((value / most) * WIDTH)).padEnd(WIDTH)} ${value.toFixed(2)} ${unit}`,
    )
    .join("\n");
}
