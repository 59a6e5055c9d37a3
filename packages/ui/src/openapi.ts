import { type Field, type JsonObject, SchemaReader, toObject, toObjects, toText } from "./openapi-schema.ts";

/** What the reference page prints of a document. */
export interface Reference {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly groups: readonly OperationGroup[];
}

/** The operations of one tag. */
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

export interface Body {
  readonly mediaType: string;
  readonly type: string;
  readonly fields: readonly Field[];
  /** As it would be sent, or empty. */
  readonly example: string;
}

export interface Answer {
  readonly status: string;
  readonly description: string;
  readonly bodies: readonly Body[];
}

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const TAG_OF_UNTAGGED = "Other";

/** Reads an OpenAPI 3.1 document, in its own order; tags without a description come after those with one. */
export function readReference(document: object): Reference {
  const root = toObject(document);
  const info = toObject(root["info"]);
  const operations = readOperations(root);
  const tags = new Map(toObjects(root["tags"]).map((tag) => [toText(tag["name"]), toText(tag["description"])]));
  for (const { tag } of operations) if (!tags.has(tag)) tags.set(tag, "");
  return {
    title: toText(info["title"]),
    version: toText(info["version"]),
    description: toText(info["description"]),
    groups: [...tags]
      .map(([tag, description]) => ({
        tag,
        description,
        operations: operations.filter((operation) => operation.tag === tag),
      }))
      .filter((group) => group.operations.length > 0),
  };
}

function readOperations(root: JsonObject): readonly Operation[] {
  const schemas = new SchemaReader(root);
  return Object.entries(toObject(root["paths"])).flatMap(([path, value]) => {
    const item = toObject(value);
    return METHODS.filter((method) => method in item).map((method) => readOperation(schemas, method, path, item));
  });
}

function readOperation(schemas: SchemaReader, method: string, path: string, item: JsonObject): Operation {
  const operation = toObject(item[method]);
  const tags: readonly unknown[] = Array.isArray(operation["tags"]) ? operation["tags"] : [];
  const parameters = [...toObjects(item["parameters"]), ...toObjects(operation["parameters"])];
  return {
    id: `${method}${path.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "")}`,
    tag: toText(tags[0]) || TAG_OF_UNTAGGED,
    method: method.toUpperCase(),
    path,
    summary: toText(operation["summary"]),
    description: toText(operation["description"]),
    deprecated: operation["deprecated"] === true,
    parameters: parameters.map((parameter) => readParameter(schemas, schemas.resolve(parameter))),
    bodies: readBodies(schemas, schemas.resolve(toObject(operation["requestBody"]))),
    answers: Object.entries(toObject(operation["responses"])).map(([status, value]) => {
      const answer = schemas.resolve(toObject(value));
      return { status, description: toText(answer["description"]), bodies: readBodies(schemas, answer) };
    }),
  };
}

function readParameter(schemas: SchemaReader, parameter: JsonObject): Field {
  const schema = toObject(parameter["schema"]);
  return {
    name: toText(parameter["name"]),
    where: toText(parameter["in"]),
    type: schemas.type(schema),
    required: parameter["required"] === true,
    description: toText(parameter["description"]) || schemas.describe(schema),
  };
}

function readBodies(schemas: SchemaReader, holder: JsonObject): readonly Body[] {
  return Object.entries(toObject(holder["content"])).map(([mediaType, value]) => {
    const content = toObject(value);
    const schema = toObject(content["schema"]);
    const example = content["example"] ?? schemas.resolve(schema)["example"];
    return { mediaType, type: schemas.type(schema), fields: schemas.fields(schema), example: toExample(example) };
  });
}

function toExample(example: unknown): string {
  if (example === undefined) return "";
  return typeof example === "string" ? example : JSON.stringify(example, null, 2);
}
