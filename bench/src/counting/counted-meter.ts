// oxlint-disable-next-line no-restricted-imports -- The object that is measured, with its storage watched.
import { type ConsumerEnv, CustomerMeter as Meter } from "@tidemark/consumer";
import type {
  ApplyReply,
  ApplyRequest,
  DecideReply,
  DecideRequest,
  DefineReply,
  DefineRequest,
} from "@tidemark/contract";
import { countedBindings } from "./counted-bindings.ts";
import { countRows, counts } from "./counts.ts";

/** What was written since the last look. Whatever writes looks before anything else can write. */
interface Written {
  readonly statements: { readonly table: string; readonly cursor: SqlStorageCursor<Record<string, SqlStorageValue>> }[];
  alarmsSet: number;
}

/** The meter as it is, with the rows counted that it writes: in its calls, in its alarm, and for its schema. */
export class CustomerMeter extends Meter {
  readonly #written: Written;

  constructor(context: DurableObjectState, env: ConsumerEnv) {
    const written: Written = { statements: [], alarmsSet: 0 };
    watchStorage(context.storage, written);
    super(context, countedBindings(env));
    this.#written = written;
    counts.schemaRows += take(written).rows;
  }

  /** Counting is synchronous up to the reply. */
  override apply(request: ApplyRequest): Promise<ApplyReply> {
    const reply = super.apply(request);
    this.#countCall();
    return reply;
  }

  /** Of decisions that are committed together, the first is said to have written all of it. */
  override async decide(request: DecideRequest): Promise<DecideReply> {
    const reply = await super.decide(request);
    this.#countCall();
    return reply;
  }

  /** What people set is no part of what use costs, but the alarm is the one that the first use would set. */
  override async define(request: DefineRequest): Promise<DefineReply> {
    const reply = await super.define(request);
    counts.alarmsSet += take(this.#written).alarmsSet;
    return reply;
  }

  override async alarm(): Promise<void> {
    await super.alarm();
    const { rows } = take(this.#written);
    counts.alarms++;
    counts.alarmRows += rows;
    counts.alarmRowsMax = Math.max(counts.alarmRowsMax, rows);
  }

  #countCall(): void {
    const { rows, alarmsSet } = take(this.#written);
    counts.calls++;
    counts.callRows += rows;
    counts.callRowsMax = Math.max(counts.callRowsMax, rows);
    counts.alarmsSet += alarmsSet;
  }
}

function watchStorage(storage: DurableObjectStorage, written: Written): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  sql.exec = <Row extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: unknown[]
  ): SqlStorageCursor<Row> => {
    const cursor = exec<Row>(query, ...bindings);
    written.statements.push({ table: /(?:INTO|UPDATE|FROM)\s+(\w+)/i.exec(query)?.[1] ?? "schema", cursor });
    return cursor;
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (at, options) => {
    written.alarmsSet++;
    return setAlarm(at, options);
  };
}

/** What was written, counted by table. Statements are read to their end by now, and a cursor knows only then. */
function take(written: Written): { readonly rows: number; readonly alarmsSet: number } {
  const { alarmsSet } = written;
  let rows = alarmsSet;
  for (const { table, cursor } of written.statements.splice(0)) {
    const { rowsWritten } = cursor;
    rows += rowsWritten;
    if (rowsWritten > 0) countRows(table, rowsWritten);
  }
  written.alarmsSet = 0;
  if (alarmsSet > 0) countRows("alarms set", alarmsSet);
  return { rows, alarmsSet };
}
