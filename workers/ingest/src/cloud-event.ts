import { ID_LENGTH_MAX } from "@tidemark/contract";
import { FaultyItem } from "./faulty-item.ts";

/**
 * A CloudEvent (1.0, JSON format) as an event: `type` is the event's name, `subject` the customer,
 * `time` the timestamp, `data` the properties. CloudEvents are unique by `source` and `id` together, so
 * both make the id; the source is percent-encoded, which keeps `#` free to part them.
 */
export function readCloudEvent(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return fault("", "A CloudEvent is a JSON object.");
  const { specversion, id, source, type, subject, time, data, data_base64 } = value as Record<string, unknown>;
  if (specversion !== "1.0") return fault("/specversion", 'specversion is "1.0".');
  if (typeof id !== "string" || id === "") return fault("/id", "A CloudEvent needs an id.");
  if (typeof source !== "string" || source === "" || !source.isWellFormed())
    return fault("/source", "A CloudEvent needs a source.");
  if (typeof type !== "string" || type === "")
    return fault("/type", "A CloudEvent needs a type, which names the event.");
  if (typeof subject !== "string" || subject === "")
    return fault("/subject", "A CloudEvent needs a subject, which names the customer.");
  if (time !== undefined && typeof time !== "string") return fault("/time", "time is RFC 3339 text.");
  if (data_base64 !== undefined) return fault("/data_base64", "Binary data cannot be metered; send JSON in data.");
  if (data !== undefined && data !== null && (typeof data !== "object" || Array.isArray(data)))
    return fault("/data", "data is a JSON object.");

  const eventId = `${encodeURIComponent(source)}#${id}`;
  if (eventId.length > ID_LENGTH_MAX)
    return fault("/id", `source and id together have more than ${ID_LENGTH_MAX} characters.`);
  return {
    id: eventId,
    event: type,
    customer_id: subject,
    ...(time === undefined ? {} : { timestamp: time }),
    ...(data === undefined || data === null ? {} : { properties: data }),
  };
}

function fault(pointer: string, detail: string): FaultyItem {
  return new FaultyItem({ code: "invalid_cloudevent", pointer, detail });
}
