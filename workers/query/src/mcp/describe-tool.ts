import type { Tool as DescribedTool } from "@modelcontextprotocol/sdk/types.js";
import * as z from "zod";
import { EFFECTS, IDEMPOTENCY_ARGUMENT, type Route, type Tool } from "./tool.ts";

/** A tool as `tools/list` shows it. */
export function describeTool({ name, title, description, effect, ...tool }: Tool): DescribedTool {
  return { name, title, description, inputSchema: toInputSchema(tool), annotations: { title, ...EFFECTS[effect] } };
}

/** The arguments as JSON Schema: those of the path, and the API's own schema of the rest. */
function toInputSchema({ input, answeredBy }: Pick<Tool, "input" | "answeredBy">): DescribedTool["inputSchema"] {
  const route: Partial<Route> = typeof answeredBy === "function" ? {} : answeredBy;
  const inPath = toObject(z.strictObject(route.inPath ?? {}));
  const rest = input === null ? NOTHING : toObject(input);
  const key = route.isIdempotent === true ? { [IDEMPOTENCY_ARGUMENT]: IDEMPOTENCY_KEY } : {};
  return {
    type: "object",
    properties: { ...inPath.properties, ...rest.properties, ...key },
    required: [...inPath.required, ...rest.required],
    additionalProperties: false,
    ...(rest.$defs === undefined ? {} : { $defs: rest.$defs }),
  };
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
  readonly $defs?: Readonly<Record<string, object>>;
}

const NOTHING: ObjectSchema = { properties: {}, required: [] };

const IDEMPOTENCY_KEY = {
  type: "string",
  description: "Makes calling again safe for 24 hours: the same key and arguments get the first answer again.",
};

interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/**
 * A schema of objects, with its fields at the root. A choice between several shapes becomes one that has the fields
 * of all: models are not given such a choice at the root, and the API tells which fields go together.
 */
function toObject(schema: z.ZodType): ObjectSchema {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const { $defs = {} } = root;
  const object = toFields(root, $defs);
  const used = referred(object, $defs, new Set());
  if (used.size === 0) return object;
  return { ...object, $defs: Object.fromEntries(Object.entries($defs).filter(([id]) => used.has(id))) };
}

function toFields(schema: JsonSchema, $defs: Readonly<Record<string, JsonSchema>>): ObjectSchema {
  const named = schema.$ref === undefined ? undefined : $defs[schema.$ref.slice("#/$defs/".length)];
  if (named !== undefined) return toFields(named, $defs);
  const choices = (schema.anyOf ?? schema.oneOf)?.map((choice) => toFields(choice, $defs));
  if (choices === undefined) return { properties: schema.properties ?? {}, required: schema.required ?? [] };
  return {
    properties: Object.fromEntries(fieldNames(choices).map((name) => [name, toField(name, choices)])),
    required: fieldNames(choices).filter((name) => choices.every(({ required }) => required.includes(name))),
  };
}

function fieldNames(choices: readonly ObjectSchema[]): readonly string[] {
  return [...new Set(choices.flatMap(({ properties }) => Object.keys(properties)))];
}

/** A field as all shapes have it, or one of what they have. */
function toField(name: string, choices: readonly ObjectSchema[]): object {
  const found = choices.flatMap(({ properties: { [name]: field } }) => (field === undefined ? [] : [field]));
  const [first, ...others] = new Map(found.map((field) => [JSON.stringify(field), field])).values();
  return others.length === 0 && first !== undefined ? first : { anyOf: [first, ...others] };
}

/** The definitions that are referred to, directly or by one another. */
function referred(schema: object, $defs: Readonly<Record<string, JsonSchema>>, found: Set<string>): Set<string> {
  for (const [, id = ""] of JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
    const { [id]: named } = $defs;
    if (named === undefined || found.has(id)) continue;
    found.add(id);
    referred(named, $defs, found);
  }
  return found;
}
