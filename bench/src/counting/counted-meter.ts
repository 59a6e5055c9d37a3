// oxlint-disable-next-line no-restricted-imports -- The object that is measured, with its storage watched.
import { type ConsumerEnv, CustomerMeter as Meter } from "@tidemark/consumer";
import type { ApplyReply, ApplyRequest } from "@tidemark/contract";
import { countedBindings } from "./counted-bindings.ts";
import { counts } from "./counts.ts";

interface OpenCursors {
  readonly call: SqlStorageCursor<Record<string, SqlStorageValue>>[];
  readonly other: SqlStorageCursor<Record<string, SqlStorageValue>>[];
}

/** The meter as it is, with the rows counted that it writes: in its calls, in its alarm, and for its schema. */
export class CustomerMeter extends Meter {
  readonly #cursors: OpenCursors;
  readonly #watch: { inCall: boolean; alarmsSet: number };

  constructor(context: DurableObjectState, env: ConsumerEnv) {
    const cursors: OpenCursors = { call: [], other: [] };
    const watch = { inCall: false, alarmsSet: 0 };
    watchStorage(context.storage, cursors, watch);
    super(context, countedBindings(env));
    this.#cursors = cursors;
    this.#watch = watch;
    counts.schemaRows += rowsOf(cursors.other);
  }

  /** Counting is synchronous up to the reply, so that whatever is written meanwhile is this call's. */
  override apply(request: ApplyRequest): Promise<ApplyReply> {
    this.#watch.inCall = true;
    this.#watch.alarmsSet = 0;
    const reply = super.apply(request);
    this.#watch.inCall = false;
    const rows = rowsOf(this.#cursors.call) + this.#watch.alarmsSet;
    counts.calls++;
    counts.callRows += rows;
    counts.callRowsMax = Math.max(counts.callRowsMax, rows);
    counts.alarmsSet += this.#watch.alarmsSet;
    return reply;
  }

  override async alarm(): Promise<void> {
    this.#watch.alarmsSet = 0;
    await super.alarm();
    const rows = rowsOf(this.#cursors.other) + this.#watch.alarmsSet;
    this.#watch.alarmsSet = 0;
    counts.alarms++;
    counts.alarmRows += rows;
    counts.alarmRowsMax = Math.max(counts.alarmRowsMax, rows);
  }
}

function watchStorage(
  storage: DurableObjectStorage,
  cursors: OpenCursors,
  watch: { inCall: boolean; alarmsSet: number },
): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  sql.exec = <Row extends Record<string, SqlStorageValue>>(
    query: string,
    ...bindings: unknown[]
  ): SqlStorageCursor<Row> => {
    const cursor = exec<Row>(query, ...bindings);
    (watch.inCall ? cursors.call : cursors.other).push(cursor);
    return cursor;
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (at, options) => {
    watch.alarmsSet++;
    return setAlarm(at, options);
  };
}

/** What statements have written. They are read to their end by now, and a cursor knows only then. */
function rowsOf(cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[]): number {
  let rows = 0;
  for (const cursor of cursors.splice(0)) rows += cursor.rowsWritten;
  return rows;
}
