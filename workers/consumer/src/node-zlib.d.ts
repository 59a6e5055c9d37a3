/** What the runtime offers of Node's zlib and is used here; all of Node's types would bring its globals. */
declare module "node:zlib" {
  export function gzipSync(data: string, options: { readonly level: number }): Uint8Array<ArrayBuffer>;
  export function gunzipSync(data: ArrayBuffer): Uint8Array<ArrayBuffer>;
}
