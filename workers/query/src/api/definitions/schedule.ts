import type { MeterAddress } from "@tidemark/contract";
import type { CycleInput } from "@tidemark/contract/terms-schema";
import type { Allowance } from "@tidemark/contract/allowance-schema";
import type { Schedule } from "@tidemark/core/cycle";
import { parseTimestamp } from "@tidemark/core/timestamp";
import { findCustomer } from "@tidemark/db/customers";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";
import { requireProject } from "../../project.ts";

/** How a customer's cycles follow each other, where a request leaves something out. */
export interface ScheduleDefaults {
  readonly schedule: Schedule | null;
  readonly now: number;
  /** The customer's, or else the project's. */
  readonly time_zone: string;
}

/**
 * The cycles that a request asks for; what it leaves out stays as it is, or begins now, to the second, by the
 * month.
 *
 * @param pointer of `wanted`.
 */
export function readSchedule(
  wanted: CycleInput,
  { schedule, now, time_zone }: ScheduleDefaults,
  pointer: string,
): Schedule {
  const { anchor } = wanted;
  return {
    interval: wanted.interval ?? schedule?.interval ?? { count: 1, period: "months" },
    anchor: anchor === undefined ? (schedule?.anchor ?? startOfSecond(now)) : readInstant(anchor, `${pointer}/anchor`),
    time_zone: wanted.time_zone ?? schedule?.time_zone ?? time_zone,
  };
}

/** An instant of a request, in milliseconds. */
export function readInstant(text: string, pointer: string): number {
  const instant = parseTimestamp(text);
  if (Number.isNaN(instant))
    throw invalid([
      { pointer, code: "invalid_value", detail: "Must be RFC 3339 with an offset (2026-11-01T12:00:00Z)." },
    ]);
  return instant;
}

/** Instants that people are shown have no fraction. */
export function startOfSecond(instant: number): number {
  return Math.floor(instant / 1000) * 1000;
}

/** In whose calendar a customer's cycles are, when nobody says. */
export async function readZone(db: D1Database, { project_id, customer_id }: MeterAddress): Promise<string> {
  const [project, customer] = await Promise.all([
    requireProject(db, project_id),
    findCustomer(db, project_id, customer_id),
  ]);
  return customer?.time_zone ?? project.time_zone;
}

/** A schedule as answers write it. */
export function toCycleRule({ interval, anchor, time_zone }: Schedule): Allowance["cycle"] {
  return { interval: { ...interval }, anchor: toInstantText(anchor), time_zone };
}
