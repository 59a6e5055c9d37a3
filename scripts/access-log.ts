import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** A line of the access log as an event. */
export interface AccessEvent {
  readonly id: string;
  readonly event: "api_request";
  readonly customer_id: string;
  readonly timestamp: string;
  readonly properties: {
    readonly endpoint: string;
    readonly method: string;
    readonly status: number;
    readonly bytes: number;
  };
}

const LINE =
  /^(\S+) \S+ \S+ \[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const FIRST =
  "amber ancient autumn azure bold brave bright bronze calm clear clever copper coral crimson crystal dapper eager early emerald gentle golden grand green hidden indigo ivory jolly keen light lively lucky lunar merry misty noble olive pearl polar proud quick quiet rapid royal rustic silver solar swift velvet".split(
    " ",
  );
const LAST =
  "anchor arrow aspen badger beacon birch bridge brook canyon castle cedar cliff cloud comet condor cypress delta ember falcon fern forge garden glacier grove harbor hawk heron island lagoon lantern maple meadow meteor mill orchard osprey otter pine prairie raven reef ridge river sierra summit thicket valley willow".split(
    " ",
  );

/**
 * The access log as events: each client address is a customer with a readable name, in order of first
 * appearance.
 *
 * @param path a gzip file in the combined log format.
 * @param lastAt when the last line happened, in milliseconds; all others keep their distance. Their own times when absent.
 */
export function readAccessLog(path: string, lastAt?: number): AccessEvent[] {
  const lines = gunzipSync(readFileSync(path)).toString("latin1").trimEnd().split("\n");
  const names = new Map<string, string>();
  const parsed = lines.map((line, index) => {
    const match = LINE.exec(line);
    if (match === null) throw new Error(`Line ${index + 1} is not in the combined log format.`);
    const [
      ,
      address = "",
      day,
      month = "",
      year,
      time,
      offsetHours,
      offsetMinutes,
      method = "",
      path_ = "",
      status,
      bytes,
    ] = match;
    const name = names.get(address) ?? nameOf(names.size);
    names.set(address, name);
    const at = Date.parse(
      `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${day}T${time}${offsetHours}:${offsetMinutes}`,
    );
    const properties = {
      endpoint: path_.split("?", 1)[0] ?? "",
      method,
      status: Number(status),
      bytes: bytes === "-" ? 0 : Number(bytes),
    };
    return { at, id: `log-${index + 1}`, customer_id: name, properties };
  });
  const shift = lastAt === undefined ? 0 : lastAt - Math.max(...parsed.map((event) => event.at));
  return parsed.map(({ at, id, customer_id, properties }) => ({
    id,
    event: "api_request",
    customer_id,
    timestamp: new Date(at + shift).toISOString(),
    properties,
  }));
}

/** The n-th of 2,304 names. */
function nameOf(index: number): string {
  return `${FIRST[index % FIRST.length] ?? ""}_${LAST[(index + Math.floor(index / FIRST.length)) % LAST.length] ?? ""}`;
}
