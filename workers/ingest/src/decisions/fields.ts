import type { ProblemDetail } from "@tidemark/contract";
import { checkProperties, isPlain } from "@tidemark/contract/event-check";
import { parseExactJson } from "@tidemark/core/event";
import { Problem } from "@tidemark/http/problem";

type Properties = Readonly<Record<string, unknown>>;

/**
 * Reads the fields of a decision's body one by one and collects what is wrong with them. A library would be
 * most of this Worker's bundle and of the time that a decision takes.
 */
export class Fields {
  readonly #body: Readonly<Record<string, unknown>>;
  readonly #pointer: string;
  readonly #faults: ProblemDetail[];
  readonly #known = new Set<string>();

  private constructor(body: Readonly<Record<string, unknown>>, pointer: string, faults: ProblemDetail[]) {
    this.#body = body;
    this.#pointer = pointer;
    this.#faults = faults;
  }

  /** @throws Problem malformed_body when the text is not a JSON object. */
  static parse(text: string): Fields {
    let body: unknown;
    try {
      // A number that a double would round stays text, which an amount may be.
      body = parseExactJson(text === "" ? "{}" : text).value;
    } catch {
      throw new Problem("malformed_body", "The body is not JSON.");
    }
    if (!isRecord(body)) throw new Problem("malformed_body", "The body is not a JSON object.");
    return new Fields(body, "", []);
  }

  /** The same of a query string, where everything is text. */
  static ofQuery(query: URLSearchParams): Fields {
    const fields = new Fields(Object.fromEntries(query), "", []);
    for (const field of new Set(query.keys()))
      if (query.getAll(field).length > 1) fields.fault(field, "Is given more than once.");
    return fields;
  }

  has(field: string): boolean {
    return this.#body[field] !== undefined;
  }

  /** A name that has to be there. */
  name(field: string, max: number): string {
    const value = this.#take(field);
    if (isPlain(value, max)) return value;
    this.fault(field, value === undefined ? "Is required." : `Must be text of 1 to ${max} ordinary characters.`);
    return "";
  }

  optionalName(field: string, max: number): string | null {
    const value = this.#take(field);
    return value === undefined || value === null ? null : this.name(field, max);
  }

  /** A JSON number or a decimal's text; the meter knows how many places the metric has. */
  amount(field: string, fallback?: number): number | string {
    const value = this.#take(field);
    if (value === undefined && fallback !== undefined) return fallback;
    if (isAmount(value)) return value;
    this.fault(field, value === undefined ? "Is required." : "Must be a number, or a decimal as text.");
    return 0;
  }

  optionalAmount(field: string): number | string | null {
    const value = this.#take(field);
    return value === undefined || value === null ? null : this.amount(field);
  }

  /** A whole number in a range. */
  whole(field: string, min: number, max: number, fallback: number): number {
    const value = this.#take(field);
    if (value === undefined) return fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    this.fault(field, `Must be a whole number from ${min} to ${max}.`);
    return fallback;
  }

  optionalWhole(field: string, min: number, max: number): number | null {
    const value = this.#take(field);
    return value === undefined || value === null ? null : this.whole(field, min, max, min);
  }

  choice<Choice extends string>(field: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.#take(field);
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    this.fault(field, `Must be one of ${choices.join(", ")}.`);
    return fallback;
  }

  flag(field: string, fallback: boolean): boolean {
    const value = this.#take(field);
    if (value === undefined || typeof value === "boolean") return value ?? fallback;
    this.fault(field, "Must be true or false.");
    return fallback;
  }

  properties(): Properties | null {
    const value = this.#take("properties");
    if (value === undefined || value === null) return null;
    const fault = checkProperties(value);
    if (fault === undefined) return value as Properties;
    this.fault("properties", fault.detail);
    return null;
  }

  /** A list of objects. */
  list(field: string, max: number): readonly Fields[] {
    const value = this.#take(field);
    if (Array.isArray(value) && value.length > 0 && value.length <= max && value.every(isRecord))
      return value.map((item, index) => new Fields(item, `${this.#pointer}/${field}/${index}`, this.#faults));
    this.fault(field, `Must be a list of 1 to ${max} objects.`);
    return [];
  }

  /** An object that may be missing. */
  optional(field: string): Fields | null {
    const value = this.#take(field);
    if (value === undefined || value === null) return null;
    if (isRecord(value)) return new Fields(value, `${this.#pointer}/${field}`, this.#faults);
    this.fault(field, "Must be an object.");
    return null;
  }

  fault(field: string, detail: string): void {
    const name = field.slice(0, 64).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");
    this.#faults.push({ pointer: `${this.#pointer}/${name}`, code: "invalid", detail });
  }

  /** Every field has been read. @throws Problem invalid_request, with all that is wrong. */
  end(): void {
    for (const field in this.#body) if (!this.#known.has(field)) this.fault(field, "Is not a field of this request.");
    const [first] = this.#faults;
    if (first === undefined) return;
    const detail = `${first.pointer}: ${first.detail}`;
    throw new Problem("invalid_request", detail, { errors: this.#faults.slice(0, 20) });
  }

  /** The same for one of a list: its faults are told with those of the whole. */
  endItem(): void {
    for (const field in this.#body) if (!this.#known.has(field)) this.fault(field, "Is not a field of this request.");
  }

  #take(field: string): unknown {
    this.#known.add(field);
    return Object.hasOwn(this.#body, field) ? this.#body[field] : undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const AMOUNT_LENGTH_MAX = 64;

function isAmount(value: unknown): value is number | string {
  return typeof value === "number" || (typeof value === "string" && value !== "" && value.length <= AMOUNT_LENGTH_MAX);
}
