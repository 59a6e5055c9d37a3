import * as z from "zod";

const PATH = /^[A-Za-z0-9_$-]{1,64}(\.[A-Za-z0-9_$-]{1,64}){0,7}$/;

/** Why a text is no dotted path into an event's properties; `undefined` when it is one. */
export function propertyPathFault(path: string): string | undefined {
  if (!PATH.test(path)) return "Must be a property's name, or several joined by dots: letters, digits, _, $ and -.";
  return path.split(".").some((key) => ["__proto__", "prototype", "constructor"].includes(key))
    ? "Must not be a name that JavaScript objects have of their own."
    : undefined;
}

/** A dotted path into an event's properties. */
export const PropertyPathSchema = z.string().superRefine((path, context) => {
  const fault = propertyPathFault(path);
  if (fault !== undefined) context.addIssue(fault);
});
