import { sha256 } from "./digest.ts";

/** The id of a notice's delivery to a destination: it follows from both, so that the same is delivered once. */
export async function deliveryId(projectId: string, destinationId: string, noticeId: string): Promise<string> {
  return `dlv_${(await sha256(JSON.stringify([projectId, destinationId, noticeId]))).slice(0, 32)}`;
}
