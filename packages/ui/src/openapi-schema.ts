/** A JSON object whose members are looked at before they are trusted. */
export interface JsonObject {
  readonly [key: string]: unknown;
}

/** A parameter or a property; nested ones are named by their path, `items[].price`. */
export interface Field {
  readonly name: string;
  /** `query`, `path` or `header`; empty for properties. */
  readonly where: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** How deep properties are listed: further down they are read better in the document itself. */
const DEPTH_MAX = 4;
/** A chain of references longer than this names itself. */
const HOPS_MAX = 8;

/** Reads schemas of one document. References are followed inside it; what is missing or malformed is left out. */
export class SchemaReader {
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  /** What a reference stands for; anything else is itself. */
  resolve(value: JsonObject): JsonObject {
    let current = value;
    for (let hops = 0; typeof current["$ref"] === "string"; hops++) {
      if (hops === HOPS_MAX) return {};
      const keys = current["$ref"].replace(/^#\//, "").split("/");
      current = keys.reduce((at, key) => toObject(at[key.replaceAll("~1", "/").replaceAll("~0", "~")]), this.#root);
    }
    return current;
  }

  describe(schema: JsonObject): string {
    return toText(schema["description"]) || toText(this.resolve(schema)["description"]);
  }

  /** The properties of a schema and of what is inside it, each name once. */
  fields(schema: JsonObject, prefix = "", depth = 0): readonly Field[] {
    if (depth >= DEPTH_MAX) return [];
    const resolved = this.resolve(schema);
    if (resolved["items"] !== undefined) {
      // At the top, the type already says that it is a list.
      return this.fields(toObject(resolved["items"]), prefix === "" ? "" : `${prefix.slice(0, -1)}[].`, depth + 1);
    }
    const required = new Set(Array.isArray(resolved["required"]) ? resolved["required"] : []);
    const own = Object.entries(toObject(resolved["properties"])).flatMap(([key, value]): readonly Field[] => {
      const property = toObject(value);
      const type = this.type(property);
      const field = {
        name: prefix + key,
        where: "",
        type,
        required: required.has(key),
        description: this.describe(property),
      };
      return [field, ...this.fields(property, `${prefix}${key}.`, depth + 1)];
    });
    const inVariants = variants(resolved).flatMap((variant) => this.fields(variant, prefix, depth + 1));
    const byName = new Map([...inVariants, ...own].map((field) => [field.name, field]));
    return [...new Set([...own, ...inVariants].map(({ name }) => name))].map((name) => byName.get(name) as Field);
  }

  /** A schema in a few words: `string (date-time)`, `array of Event`, `"hard" or "soft"`. */
  type(schema: JsonObject, depth = 0): string {
    const named = toText(schema["$ref"]).split("/").at(-1) ?? "";
    const resolved = this.resolve(schema);
    if (Array.isArray(resolved["enum"])) return resolved["enum"].map((value) => JSON.stringify(value)).join(" or ");
    if ("const" in resolved) return JSON.stringify(resolved["const"]);
    if (named !== "") return named;
    if (depth === DEPTH_MAX) return "value";
    const options = new Set(variants(resolved).map((variant) => this.type(variant, depth + 1)));
    if (options.size > 0) return [...options].join(resolved["allOf"] === undefined ? " or " : " and ");
    if (resolved["items"] !== undefined) return `array of ${this.type(toObject(resolved["items"]), depth + 1)}`;
    const type = Array.isArray(resolved["type"]) ? resolved["type"].join(" or ") : toText(resolved["type"]) || "value";
    const format = toText(resolved["format"]);
    return format === "" ? type : `${type} (${format})`;
  }
}

/** A value as an object; anything else is an empty one. */
export function toObject(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** A value as a list of objects; anything else is an empty one. */
export function toObjects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.map(toObject) : [];
}

/** A value as text; anything else is empty. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function variants(schema: JsonObject): readonly JsonObject[] {
  return [...toObjects(schema["oneOf"]), ...toObjects(schema["anyOf"]), ...toObjects(schema["allOf"])];
}
