import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { DESTINATION_URL_LENGTH_MAX, NAME_LENGTH_MAX, OLD_SECRET_SECONDS_MAX } from "./limits.ts";
import { OLD_SECRET_SECONDS_DEFAULT } from "./query-limits.ts";
import { nameText } from "./text-schema.ts";

const NOTICE_KINDS = ["threshold_crossed", "digest", "webhook_test", "destination_disabled"] as const;

export const NoticeKindSchema = z.enum(NOTICE_KINDS).meta({ id: "NoticeKind" });

const fields = {
  name: nameText(NAME_LENGTH_MAX).describe("What people call it."),
  url: z
    .string()
    .min(1)
    .max(DESTINATION_URL_LENGTH_MAX)
    .describe(
      "Where to post. A webhook: https on port 443, by a public host name. Slack: an incoming webhook of hooks.slack.com.",
    ),
  wants: z
    .array(NoticeKindSchema)
    .min(1)
    .max(NOTICE_KINDS.length)
    .refine((kinds) => new Set(kinds).size === kinds.length, "Names a kind twice.")
    .nullable()
    .describe("Kinds of notices that go there; null: all of them. Its own tests and digests go there in any case."),
};

/** The body of `POST /v1/destinations`. */
export const DestinationInputSchema = z
  .strictObject({
    kind: z
      .enum(["webhook", "slack"])
      .describe("`webhook`: signed by Standard Webhooks. `slack`: a message in a channel."),
    name: fields.name,
    url: fields.url,
    wants: fields.wants.default(null),
  })
  .meta({
    id: "DestinationInput",
    example: { kind: "webhook", name: "Billing", url: "https://billing.acme.com/hooks/usage" },
  });

/** The body of `PATCH /v1/destinations/{id}`. */
export const DestinationChangeSchema = z
  .strictObject({
    ...fields,
    enabled: z
      .boolean()
      .describe(
        "false: nothing is sent there, not even what waits. true: notices go there again; those of the meantime do not.",
      ),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something: name, url, wants or enabled.")
  .meta({ id: "DestinationChange", example: { wants: ["threshold_crossed"] } });
export type DestinationChange = z.infer<typeof DestinationChangeSchema>;

/** The body of `POST /v1/destinations/{id}/rotate`. */
export const RotationInputSchema = z
  .strictObject({
    expires_in_seconds: z
      .int()
      .min(0)
      .max(OLD_SECRET_SECONDS_MAX)
      .default(OLD_SECRET_SECONDS_DEFAULT)
      .describe("How long the old secret signs along; 0 where it is known to somebody else."),
  })
  .meta({ id: "RotationInput", example: { expires_in_seconds: 3_600 } });

export const DestinationSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["webhook", "slack"]),
    name: z.string(),
    shown_url: z.string().describe("The address without what may be secret in it."),
    wants: fields.wants,
    enabled: z.boolean(),
    disabled_at: InstantSchema.nullable(),
    disabled_reason: z
      .enum(["gone", "failing", "by_person"])
      .nullable()
      .describe("`gone`: it answered 410. `failing`: every attempt of five days failed. `by_person`: by `enabled`."),
    failing_since: InstantSchema.nullable().describe(
      "Since when every attempt has failed; null: the last one did not.",
    ),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Destination" });
export type Destination = z.infer<typeof DestinationSchema>;

/** A destination with its secret, which only the answers that make one have. */
export const NewDestinationSchema = DestinationSchema.extend({
  secret: z
    .string()
    .nullable()
    .describe("Verifies what arrives, by any library for Standard Webhooks. Shown once; null for Slack.")
    .meta({ example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwcvXHTQyPGvQ=" }),
}).meta({ id: "NewDestination" });
