import { expect, test } from "vitest";
import { definitionId, type ProductDefinition, toSubscription } from "./subscribe.ts";

const PRICE = { model: "per_unit", unit_amount: "0.01", currency: "EUR", segment: null } as const;
const DEFINITION: ProductDefinition = {
  name: "API",
  description: "",
  prices: [PRICE],
  charge_on: "delta",
  cycle_interval: { count: 2, period: "weeks" },
  allowance: null,
  accumulates: false,
};
const PRODUCT = { id: "prod_1", slug: "api", definition: DEFINITION };
const METRIC = { id: "met_1", aggregation: "sum", decimal_places: 2, group_by: [], segments: [] } as const;
const SUBSCRIBER = { id: "sub_1", anchor: 5, time_zone: "Europe/Berlin" };

test("a subscription keeps what its product is sold for, and follows cycles of its own", () => {
  expect(toSubscription(PRODUCT, METRIC, SUBSCRIBER)).toEqual({
    definition: {
      id: "sub_1",
      metric_id: "met_1",
      terms: {
        base: null,
        aggregation: "sum",
        enforcement: "monitor",
        carryover: null,
        accumulates: false,
        starts_from: "empty",
        late: "adjust",
        grace_ms: 86_400_000,
        schedule: { interval: { count: 2, period: "weeks" }, anchor: 5, time_zone: "Europe/Berlin" },
        by_segment: false,
        per: null,
      },
      unavailable: "closed",
      product: { id: "prod_1", slug: "api", name: "API", prices: [PRICE], charge_on: "delta", segments: [] },
    },
  });
});

test("usage is kept by segment where a price asks for one, by the bits that segments have now", () => {
  const segment = (name: string) => ({ name, filters: { and: [] } });
  const definition = { ...DEFINITION, prices: [{ ...PRICE, segment: "US" }] };
  const metric = { ...METRIC, segments: [segment("EU"), segment("US")] };
  const sold = toSubscription({ ...PRODUCT, definition }, metric, SUBSCRIBER);
  expect(sold).toMatchObject({ definition: { terms: { by_segment: true }, product: { segments: ["EU", "US"] } } });
});

test("an allowance that does not go with the metric any more is refused", () => {
  const allowance = {
    base: "1",
    enforcement: "hard",
    carryover: null,
    unavailable: "open",
    late: "adjust",
    grace_seconds: 0,
    per: "model",
    starts_from: "empty",
  } as const;
  const product = { ...PRODUCT, definition: { ...DEFINITION, allowance } };
  expect(toSubscription(product, METRIC, SUBSCRIBER)).toMatchObject({ faults: [{ path: ["per"] }] });
  const sold = toSubscription(product, { ...METRIC, group_by: ["model"] }, SUBSCRIBER);
  expect(sold).toMatchObject({ definition: { terms: { base: 100, per: "model" }, unavailable: "open" } });
});

test("a price of a segment that the metric does not have any more is refused", () => {
  const definition = { ...DEFINITION, prices: [PRICE, { ...PRICE, segment: "US" }] };
  expect(toSubscription({ ...PRODUCT, definition }, METRIC, SUBSCRIBER)).toMatchObject({
    faults: [{ path: ["prices", "1", "segment"], detail: expect.stringContaining("US") as string }],
  });
});

test.each([true, false])("what is below nothing is charged as the metric says now (%s)", (allow_negative) => {
  const sold = toSubscription(PRODUCT, { ...METRIC, allow_negative }, SUBSCRIBER);
  expect(sold).toMatchObject({ definition: { product: { allow_negative } } });
});

test("an id follows from whose it is, of what, and how many there were before", () => {
  const acme = { project_id: "p", customer_id: "acme" };
  const id = definitionId("sub", acme, "met_1", 0);
  expect(id).toMatch(/^sub_[0-9a-f]{16}$/);
  expect(definitionId("sub", { ...acme }, "met_1", 0)).toBe(id);
  const others = [
    definitionId("alw", acme, "met_1", 0),
    definitionId("sub", { ...acme, customer_id: "b" }, "met_1", 0),
    definitionId("sub", { ...acme, project_id: "q" }, "met_1", 0),
    definitionId("sub", acme, "met_2", 0),
    definitionId("sub", acme, "met_1", 1),
  ];
  expect(new Set([id, ...others]).size).toBe(others.length + 1);
});
