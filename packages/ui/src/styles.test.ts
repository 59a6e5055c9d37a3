import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { STYLESHEET, STYLESHEET_HREF } from "./styles.ts";

test("the stylesheet stays under 10 kB compressed", () => {
  expect(gzipSync(STYLESHEET).length).toBeLessThan(10_000);
});

test("the stylesheet's address changes with its content", () => {
  expect(STYLESHEET_HREF).toMatch(/^\/assets\/tidemark\.css\?v=[0-9a-f]{1,8}$/);
});

test("the stylesheet fetches nothing", () => {
  expect(STYLESHEET).not.toMatch(/url\(|@import|@font-face/);
});

const colours = new Map(
  [...STYLESHEET.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name, [light, dark]] as const,
  ),
);

const grounds = ["ground", "paper", "code"] as const;
const onGrounds = ["ink", "soft", "accent"].flatMap((text) => grounds.map((ground) => [text, ground] as const));
const onTints = ["good", "warn", "bad", "info"].map((name) => [name, `${name}-tint`] as const);

test.for([...onGrounds, ...onTints, ["paper", "accent"] as const])(
  "%s on %s reaches 4.5:1 in both themes",
  ([text, ground]) => {
    for (const theme of [0, 1])
      expect(contrast(colour(text, theme), colour(ground, theme))).toBeGreaterThanOrEqual(4.5);
  },
);

test.for(["bar"])("%s reaches 3:1 on paper in both themes", (shape) => {
  for (const theme of [0, 1]) expect(contrast(colour(shape, theme), colour("paper", theme))).toBeGreaterThanOrEqual(3);
});

function colour(name: string, theme: number): string {
  const found = colours.get(name)?.[theme];
  if (found === undefined) throw new Error(`no colour --${name}`);
  return found;
}

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
