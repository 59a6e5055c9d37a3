/**
 * What can be asked of the days that are kept. `value` is the metric's own aggregation; the others tell of the
 * events that counted, and `rejected` of those that matched and had no usable value.
 */
export const MEASURES = ["value", "events", "active_days", "customers", "last_seen_at", "rejected"] as const;
export type Measure = (typeof MEASURES)[number];

/** By what of time usage can be grouped, in the question's zone: the rows of a calendar, or what repeats in it. */
export const TIME_GROUPS = ["hour", "day", "week", "month", "hour_of_day", "day_of_week"] as const;
export type TimeGroup = (typeof TIME_GROUPS)[number];

/** Every word that `group_by` knows; whatever else stands there is a label. */
export const GROUPS = ["customer", "segment", ...TIME_GROUPS] as const;

/** The same of a question over the archive, where whatever else stands there is a property. */
export const ARCHIVE_GROUPS = ["customer", "event", "day"] as const;

/** What the columns of a measure are called that are compared. */
export function previousName(measure: Measure): string {
  return `previous_${measure}`;
}
export function changeName(measure: Measure): string {
  return `change_${measure}`;
}

/** What goes before a label, or a property, that has the name of another column. */
export const LABEL_PREFIX = "label:";
export const PROPERTY_PREFIX = "property:";

/** What a measure of the archive is called in the result: `count`, or `sum(tokens)`. */
export function archiveMeasureName(measure: { readonly of: string; readonly property?: string | undefined }): string {
  return measure.property === undefined ? measure.of : `${measure.of}(${measure.property})`;
}
