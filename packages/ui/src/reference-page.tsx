import type { FC } from "hono/jsx";
import { Layout, Wordmark } from "./layout.tsx";
import { type Answer, type Body, type Operation, readReference } from "./openapi.ts";
import type { Field } from "./openapi-schema.ts";
import { Prose } from "./prose.tsx";

export interface ReferencePageProps {
  /** An OpenAPI 3.1 document. */
  readonly document: object;
}

/** The API for people, from the same document that programs read. */
export const ReferencePage: FC<ReferencePageProps> = ({ document }) => {
  const reference = readReference(document);
  return (
    <Layout title={`${reference.title} reference`} page="reference">
      <header>
        <h1>
          {reference.title} <small>{reference.version}</small>
        </h1>
        <Prose text={reference.description} />
        <p>
          <a href="/openapi.json">openapi.json</a> · <a href="/docs/errors">Errors</a>
        </p>
      </header>
      <nav aria-label="Operations">
        {reference.groups.map(({ tag, operations }) => (
          <section>
            <h2>{tag}</h2>
            <ul>
              {operations.map(({ id, method, path }) => (
                <li>
                  <a href={`#${id}`}>
                    <span class="method">{method}</span> {path}
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
      {reference.groups.map(({ tag, description, operations }) => (
        <section class="group">
          <h2>{tag}</h2>
          <Prose text={description} />
          {operations.map((operation) => (
            <OperationDetails operation={operation} />
          ))}
        </section>
      ))}
      <footer>
        <Wordmark />
      </footer>
    </Layout>
  );
};

/** The fragment is inside, so that following a link to it opens the operation. */
const OperationDetails: FC<{ readonly operation: Operation }> = ({ operation }) => (
  <details class="operation">
    <summary>
      <h3>
        <span class="method">{operation.method}</span> <code>{operation.path}</code>
      </h3>
      <span>
        {operation.summary}
        {operation.deprecated && <em> (deprecated)</em>}
      </span>
    </summary>
    <div id={operation.id}>
      <Prose text={operation.description} />
      {operation.parameters.length > 0 && <Fields title="Parameters" fields={operation.parameters} />}
      {operation.bodies.map((body) => (
        <BodyDetails title="Body" body={body} />
      ))}
      <Answers answers={operation.answers} />
    </div>
  </details>
);

/** Successes in full; errors by status, because they share one body and have pages of their own. */
const Answers: FC<{ readonly answers: readonly Answer[] }> = ({ answers }) => {
  const errors = answers.filter(({ status }) => /^[45]/.test(status));
  return (
    <>
      {answers
        .filter((answer) => !errors.includes(answer))
        .map(({ status, description, bodies }) => (
          <>
            <h4>
              Answer {status} <span>{description}</span>
            </h4>
            {bodies.map((body) => (
              <BodyDetails title="" body={body} />
            ))}
          </>
        ))}
      {errors.length > 0 && (
        <>
          <h4>
            <a href="/docs/errors">Errors</a>
          </h4>
          <ul class="answers">
            {errors.map(({ status, description }) => (
              <li>
                <code>{status}</code> {description}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
};

const BodyDetails: FC<{ readonly title: string; readonly body: Body }> = ({ title, body }) => (
  <>
    {title !== "" && <h4>{title}</h4>}
    <p>
      <code>{body.mediaType}</code>, {body.type}
    </p>
    {body.fields.length > 0 && <Fields title="" fields={body.fields} />}
    {body.example !== "" && (
      <pre>
        <code>{body.example}</code>
      </pre>
    )}
  </>
);

const Fields: FC<{ readonly title: string; readonly fields: readonly Field[] }> = ({ title, fields }) => (
  <>
    {title !== "" && <h4>{title}</h4>}
    <dl class="fields">
      {fields.map((field) => (
        <div>
          <dt>
            <code>{field.name}</code>
            {field.required && <span> required</span>}
          </dt>
          <dd>
            <span class="type">{[field.where, field.type].filter((part) => part !== "").join(", ")}</span>
            <Prose text={field.description} />
          </dd>
        </div>
      ))}
    </dl>
  </>
);
