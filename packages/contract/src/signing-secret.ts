/** A secret that signs webhooks, as it is sealed: newest first in a list of them. */
export interface SigningSecret {
  /** `whsec_` and 32 random bytes in base64, as Standard Webhooks has it. */
  readonly secret: string;
  /** When it stops, in milliseconds; `null`: when it is rotated. */
  readonly expires_at: number | null;
}
