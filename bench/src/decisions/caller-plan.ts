/** What the caller's process is told to do. */
export type CallerCommand =
  /** Decides with a lease, which it keeps until `close`. */
  | { readonly kind: "lease"; readonly client: ClientOptions; readonly customer: string; readonly seconds: number }
  /** Several holders decide until nobody gets anything more. */
  | { readonly kind: "exhaust"; readonly client: ClientOptions; readonly customer: string; readonly holders: number }
  /** Asks Redis about each use. */
  | { readonly kind: "redis"; readonly port: number; readonly customer: string; readonly seconds: number }
  /** Reports what is left to report. */
  | { readonly kind: "close" };

/** Where the SDK finds Tidemark. */
export interface ClientOptions {
  readonly url: string;
  readonly key: string;
}

export interface CallerResult {
  /** Uses that were allowed. */
  readonly allowed: number;
  readonly seconds: number;
}
