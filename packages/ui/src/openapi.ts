/**
 * Reads an OpenAPI 3.1 document into what the reference page prints. References are followed inside the
 * document only; what is missing or of another shape is left out, never guessed.
 */
export function readReference(document: object): Reference {
  const reader = new Reader(document as Node);
  const info = node(reader.root["info"]);
  const operations = Object.entries(node(reader.root["paths"])).flatMap(([path, item]) => reader.pathItem(path, node(item)));
  const described = nodes(reader.root["tags"]).map((tag) => ({ name: text(tag["name"]), description: text(tag["description"]) }));
  const tags = [...new Set([...described.map(({ name }) => name), ...operations.map(({ tag }) => tag)])];
  return {
    title: text(info["title"]),
    version: text(info["version"]),
    description: text(info["description"]),
    groups: tags
      .map((tag) => ({
        tag,
        description: described.find(({ name }) => name === tag)?.description ?? "",
        operations: operations.filter((operation) => operation.tag === tag),
      }))
      .filter((group) => group.operations.length > 0),
  };
}

export interface Reference {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly groups: readonly OperationGroup[];
}

export interface OperationGroup {
  readonly tag: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

export interface Operation {
  /** A fragment for links to it. */
  readonly id: string;
  readonly tag: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly deprecated: boolean;
  readonly parameters: readonly Field[];
  readonly bodies: readonly Body[];
  readonly answers: readonly Answer[];
}

/** A parameter or a property; nested ones are named by their path. */
export interface Field {
  readonly name: string;
  /** `query`, `path`, `header`; empty for properties. */
  readonly where: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

export interface Body {
  readonly mediaType: string;
  readonly type: string;
  readonly fields: readonly Field[];
  /** Pretty JSON, or empty. */
  readonly example: string;
}

export interface Answer {
  readonly status: string;
  readonly description: string;
  readonly bodies: readonly Body[];
}

interface Node {
  readonly [key: string]: unknown;
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
/** How deep properties are listed: further down they are read better in the document itself. */
const DEPTH_MAX = 4;

class Reader {
  readonly root: Node;

  constructor(root: Node) {
    this.root = root;
  }

  pathItem(path: string, item: Node): Operation[] {
    const shared = nodes(item["parameters"]);
    return METHODS.filter((method) => method in item).map((method) => this.#operation(method, path, node(item[method]), shared));
  }

  #operation(method: string, path: string, operation: Node, shared: readonly Node[]): Operation {
    return {
      id: `${method}-${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "")}`,
      tag: text((operation["tags"] as readonly unknown[] | undefined)?.[0]) || "Other",
      method: method.toUpperCase(),
      path,
      summary: text(operation["summary"]),
      description: text(operation["description"]),
      deprecated: operation["deprecated"] === true,
      parameters: [...shared, ...nodes(operation["parameters"])].map((parameter) => this.#parameter(this.#resolve(parameter))),
      bodies: this.#bodies(this.#resolve(node(operation["requestBody"]))),
      answers: Object.entries(node(operation["responses"])).map(([status, answer]) => {
        const resolved = this.#resolve(node(answer));
        return { status, description: text(resolved["description"]), bodies: this.#bodies(resolved) };
      }),
    };
  }

  #parameter(parameter: Node): Field {
    const schema = node(parameter["schema"]);
    return {
      name: text(parameter["name"]),
      where: text(parameter["in"]),
      type: this.#type(schema),
      required: parameter["required"] === true,
      description: text(parameter["description"]) || text(this.#resolve(schema)["description"]),
    };
  }

  #bodies(holder: Node): Body[] {
    return Object.entries(node(holder["content"])).map(([mediaType, content]) => {
      const { schema, example } = node(content);
      const shown = example ?? this.#resolve(node(schema))["example"];
      return {
        mediaType,
        type: this.#type(node(schema)),
        fields: this.#fields(node(schema), "", 0),
        example: shown === undefined ? "" : typeof shown === "string" ? shown : JSON.stringify(shown, null, 2),
      };
    });
  }

  /** The properties of a schema and of what is inside it. */
  #fields(schema: Node, prefix: string, depth: number): Field[] {
    if (depth >= DEPTH_MAX) return [];
    const resolved = this.#resolve(schema);
    if (resolved["items"] !== undefined) return this.#fields(node(resolved["items"]), `${prefix}[].`.replace(".[]", "[]"), depth + 1);
    const parts = variants(resolved).flatMap((part) => this.#fields(part, prefix, depth + 1));
    const required = new Set(Array.isArray(resolved["required"]) ? resolved["required"] : []);
    const own = Object.entries(node(resolved["properties"])).flatMap(([key, value]): Field[] => {
      const property = node(value);
      const name = prefix + key;
      const description = text(property["description"]) || text(this.#resolve(property)["description"]);
      const field: Field = { name, where: "", type: this.#type(property), required: required.has(key), description };
      return [field, ...this.#fields(property, `${name}.`, depth + 1)];
    });
    const seen = new Set<string>();
    return [...own, ...parts].filter(({ name }) => !seen.has(name) && seen.add(name));
  }

  /** A schema in a few words: `string (date-time)`, `array of Event`, `"hard" or "soft"`. */
  #type(schema: Node, depth = 0): string {
    const named = text(schema["$ref"]).split("/").at(-1) ?? "";
    const resolved = this.#resolve(schema);
    if (depth >= DEPTH_MAX) return named || "value";
    if (Array.isArray(resolved["enum"])) return resolved["enum"].map((value) => JSON.stringify(value)).join(" or ");
    if ("const" in resolved) return JSON.stringify(resolved["const"]);
    if (named !== "") return named;
    const options = variants(resolved).map((part) => this.#type(part, depth + 1));
    if (options.length > 0) return [...new Set(options)].join(resolved["allOf"] === undefined ? " or " : " and ");
    if (resolved["items"] !== undefined) return `array of ${this.#type(node(resolved["items"]), depth + 1)}`;
    const type = Array.isArray(resolved["type"]) ? resolved["type"].join(" or ") : text(resolved["type"]);
    const format = text(resolved["format"]);
    return (type || "value") + (format === "" ? "" : ` (${format})`);
  }

  #resolve(value: Node): Node {
    let current = value;
    // A chain of references ends, or names itself: then nothing is known.
    for (let hops = 0; typeof current["$ref"] === "string"; hops++) {
      if (hops > 8) return {};
      const keys = current["$ref"].replace(/^#\//, "").split("/");
      current = keys.reduce<Node>((at, key) => node(at[key.replaceAll("~1", "/").replaceAll("~0", "~")]), this.root);
    }
    return current;
  }
}

function variants(schema: Node): readonly Node[] {
  return [...nodes(schema["oneOf"]), ...nodes(schema["anyOf"]), ...nodes(schema["allOf"])];
}

function node(value: unknown): Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Node) : {};
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.map(node) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
