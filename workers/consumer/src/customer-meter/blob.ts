/** The bytes of an array, alone in their buffer, as SQL binds them. */
export function toBlob(words: Uint32Array | Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = words;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
