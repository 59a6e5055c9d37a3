import { Problem } from "./problem.ts";

/** A body as text, and how many bytes it was. */
export interface Body {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Reads a body of at most `bytesMax` bytes, counted after decompression and while reading: a small gzip
 * that grows is stopped when it passes the cap, and a length that lies is not believed.
 *
 * @throws Problem too_large, malformed_body, unsupported_encoding.
 */
export async function readBody(request: Request, bytesMax: number): Promise<Body> {
  const bytes = await readBytes(request, bytesMax);
  try {
    return { text: decoder.decode(bytes), bytes: bytes.byteLength };
  } catch {
    throw new Problem("malformed_body", "The body is not valid UTF-8.");
  }
}

/** Of its own for the whole isolate: making one costs as much as decoding a small body. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  const declared = Number(request.headers.get("content-length") ?? NaN);
  if (declared > bytesMax) throw tooLarge(bytesMax);
  switch (encoding) {
    case "identity":
    case "":
      if (declared <= bytesMax) {
        const bytes = new Uint8Array(await request.arrayBuffer());
        if (bytes.byteLength > bytesMax) throw tooLarge(bytesMax);
        return bytes;
      }
      return request.body === null
        ? new Uint8Array()
        : readStream(request.body as ReadableStream<Uint8Array>, bytesMax);
    case "gzip":
      try {
        if (request.body === null) return new Uint8Array();
        return await readStream(request.body.pipeThrough(new DecompressionStream("gzip")), bytesMax);
      } catch (error) {
        if (error instanceof Problem) throw error;
        throw new Problem("malformed_body", "The body says it is gzip and cannot be decompressed.");
      }
    default:
      throw new Problem("unsupported_encoding", `Content-Encoding "${encoding.slice(0, 40)}" is not supported.`, {
        headers: { "accept-encoding": "gzip" },
      });
  }
}

async function readStream(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total > bytesMax) {
      await reader.cancel();
      throw tooLarge(bytesMax);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(bytesMax: number): Problem {
  return new Problem(
    "too_large",
    `The body has more than ${bytesMax.toLocaleString("en-US")} bytes after decompression.`,
  );
}
