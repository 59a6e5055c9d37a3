import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAddress, maskAddress } from "./destination-address.ts";
import { DESTINATION_URL_LENGTH_MAX } from "./limits.ts";

const OWN = "usage.acme.com";

function check(text: string, kind: "webhook" | "slack" = "webhook", allowedOrigins = ""): string | null {
  const checked = checkAddress(kind, { text, url: URL.parse(text) }, { allowedOrigins, ownHosts: [OWN] });
  return "fault" in checked ? checked.fault : null;
}

/** Every way that people, and parsers, have found to write an IPv4 address. */
function spellings(a: number, b: number, c: number, d: number): readonly string[] {
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const bytes = [a, b, c, d];
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const octal = (value: number): string => `0${value.toString(8)}`;
  const wide = (text: string): string =>
    text.replaceAll(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))).replaceAll(".", "。");
  const dotted = bytes.join(".");
  const mapped = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const groups = `${mapped.slice(0, 4)}:${mapped.slice(4)}`;
  return [
    dotted,
    `${dotted}.`,
    bytes.map(hex).join("."),
    bytes.map(octal).join("."),
    bytes.map((byte) => `0${octal(byte)}`).join("."),
    [hex(a), b, octal(c), d].join("."),
    String(whole),
    `${whole}.`,
    hex(whole),
    hex(whole).toUpperCase(),
    octal(whole),
    `${a}.${(b * 256 + c) * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${hex(a)}.${(b * 256 + c) * 256 + d}`,
    wide(dotted),
    dotted.replaceAll(".", "．"),
    dotted.replaceAll(".", "%2e"),
    dotted.replaceAll(/\d/g, (digit) => `%3${digit}`),
    `[::ffff:${dotted}]`,
    `[::ffff:${groups}]`,
    `[0:0:0:0:0:ffff:${groups}]`,
    `[::${dotted}]`,
    `[64:ff9b::${groups}]`,
    `[2002:${groups}::1]`,
  ];
}

const ADDRESSES = [
  [127, 0, 0, 1],
  [10, 1, 2, 3],
  [172, 16, 0, 9],
  [192, 168, 1, 1],
  [100, 64, 0, 1],
  [169, 254, 7, 8],
  [0, 0, 0, 0],
  [224, 0, 0, 1],
  [255, 255, 255, 255],
  [93, 184, 216, 34],
] as const;

const HOSTS = [
  [
    "[::1]",
    "[::]",
    "[0000::0001]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[2606:4700::1111]",
  ],
  ["[v1.fe80::]", "[::1", "::1", "[]", "[127.0.0.1]"],
  ["127.1", "127.0.1", "0", "0x0", "00", "0x7f", "0x7f.1", "017700000001", "1", "1.1", "256.256.256.256", "1.2.3.4.5"],
  [
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost..",
    "a.localhost",
    "ｌｏｃａｌｈｏｓｔ",
    "loc%61lhost",
    "ⓛocalhost",
    "localhost%2e",
  ],
  [
    "localhost.localdomain",
    "db.localdomain",
    "printer.local",
    "printer.LOCAL.",
    "metadata.google.internal",
    "a.internal.",
  ],
  [
    "router.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "x.onion",
    "a.test",
    "a.example",
    "a.invalid",
    "nas.lan",
    "dc.corp",
    "pi.home",
  ],
  ["wiki.intranet", "a.private", "x.alt", "x.i2p", "intranet", "db", "kubernetes", "a", "com", "com."],
  [
    "127.0.0.1.nip.io",
    "10-0-0-1.sslip.io",
    "localtest.me",
    "a.localtest.me",
    "lvh.me",
    "www.lvh.me",
    "x.vcap.me",
    "traefik.me",
  ],
  [OWN, OWN.toUpperCase(), `${OWN}.`, `${OWN}..`, "usage%2eacme.com", "ｕｓａｇｅ.acme.com", "usage。acme。com"],
  [
    "-a.com",
    "a-.com",
    "a..com",
    ".com",
    "a b.com",
    "a_b..com",
    "*.acme.com",
    "a!b.com",
    "a'b.com",
    "a~b.com",
    "a$b.com",
  ],
  [
    `${"a".repeat(64)}.com`,
    `${"a.".repeat(130)}com`,
    "xn--.com.",
    "a\u00adb..com",
    "%00.com",
    "a%20b.com",
    "a%2fb.com",
  ],
  ["..", ".", "", "%", "%zz.com", "\u0000.com", "a<b.com", "a^b.com", "a|b.com", "a`b.com", "a{b.com", "a\u202eb.com"],
].flat();

const REFUSED = [
  ...ADDRESSES.flatMap(([a, b, c, d]) => spellings(a, b, c, d)).map((host) => `https://${host}/hook`),
  ...HOSTS.map((host) => `https://${host}/hook`),
  "http://hooks.acme.com/",
  "http://hooks.acme.com:443/",
  "ftp://hooks.acme.com/",
  "ws://hooks.acme.com/",
  "file:///etc/passwd",
  "data:text/plain,x",
  "javascript:alert(1)",
  "blob:https://hooks.acme.com/x",
  "gopher://hooks.acme.com/",
  "//hooks.acme.com/",
  "hooks.acme.com",
  "/hook",
  "",
  " ",
  "https:hooks.acme.com",
  "https:/hooks.acme.com",
  "https:///hooks.acme.com",
  String.raw`https:\\hooks.acme.com`,
  String.raw`https://hooks.acme.com\@127.0.0.1`,
  "https://hooks.acme.com:8443/",
  "https://hooks.acme.com:80/",
  "https://hooks.acme.com:22/",
  "https://hooks.acme.com:0/",
  "https://hooks.acme.com:99999/",
  "https://user@hooks.acme.com/",
  "https://user:word@hooks.acme.com/",
  "https://:word@hooks.acme.com/",
  "https://hooks.acme.com@127.0.0.1/",
  "https://127.0.0.1#@hooks.acme.com/",
  "https://hooks.acme.com/#fragment",
  "https://hooks.acme.com/a b",
  "https://hooks.acme.com/\n",
  "https://hooks.acme.com/\u0000",
  "\u0001https://hooks.acme.com/",
  " https://hooks.acme.com/",
  "https://hooks.acme.com/ ",
  `https://hooks.acme.com/${"a".repeat(DESTINATION_URL_LENGTH_MAX)}`,
];

const TAKEN = [
  "https://hooks.acme.com",
  "https://hooks.acme.com/",
  "https://hooks.acme.com:443/usage",
  "HTTPS://HOOKS.ACME.COM/usage",
  "https://hooks.acme.com./usage",
  "https://acme.io/hooks/usage?token=1&x=%20",
  "https://a.b.c.d.e.f.acme.co.uk/",
  "https://bücher.de/hook",
  "https://xn--bcher-kva.de/hook",
  "https://under_score.acme.com/",
  "https://1.acme.com/",
  "https://127.0.0.1.acme.com/",
  "https://localhost.acme.com/",
  "https://local.acme.com/",
  "https://internal.io/",
  "https://test.com/",
  "https://example.com/hooks",
  "https://notnip.io/",
  "https://my-app.workers.dev/hook",
  "https://hook.eu1.make.com/abcdef",
  "https://not-usage.acme.com/",
  "https://sub.usage.acme.com/",
  `https://${"a".repeat(63)}.com/`,
];

describe("a webhook's address", () => {
  test(`is judged in ${REFUSED.length + TAKEN.length} spellings, of which those that are not public are refused`, () => {
    expect(REFUSED.length + TAKEN.length).toBeGreaterThanOrEqual(300);
    expect(REFUSED.filter((text) => check(text) === null)).toEqual([]);
    expect(TAKEN.filter((text) => check(text) !== null)).toEqual([]);
  });

  test.each([
    ["http://hooks.acme.com/", "Must begin with https://."],
    ["https://me:word@hooks.acme.com/", "Must not hold a user name or a password; verify the signature instead."],
    ["https://hooks.acme.com:8443/", "Must not name a port: webhooks go to 443."],
    ["https://2130706433/", "Must name a host, not an IP address."],
    ["https://[::1]/", "Must name a host, not an IP address."],
    ["https://intra/", "Must name a public host, with a dot in its name."],
    ["https://db.internal/", "Must name a public host: this one belongs to a private network or to tests."],
    [`https://${OWN}./`, "Must not be Tidemark's own host."],
    ["https://a_-.com/", "Must name a host of letters, digits and hyphens, of at most 253 characters."],
  ])("%s is told: %s", (text, fault) => {
    expect(check(text)).toBe(fault);
  });

  test("an IP address is refused, whatever it is and however it is written", () => {
    const byte = fc.nat(255);
    fc.assert(
      fc.property(byte, byte, byte, byte, (a, b, c, d) => {
        for (const host of spellings(a, b, c, d)) expect(check(`https://${host}/`), host).not.toBeNull();
      }),
    );
  });

  test("whatever is let through is a https URL of a dotted host name, without port or user", () => {
    const part = fc.oneof(
      fc.constantFrom("https://", "http://", "localhost", "127.0.0.1", "@", ":", "/", ".", "%2e", "[", "]", "acme.com"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const text = `https://${parts.join("")}`;
        const checked = checkAddress("webhook", { text, url: URL.parse(text) }, { allowedOrigins: "", ownHosts: [] });
        if ("url" in checked) expect(checked.url).toMatch(/^https:\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?\/\S*$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test("an origin that the deployment lets through is taken as it is, and no other", () => {
    const allowed = "http://127.0.0.1:4000 http://localhost:5000";
    expect(check("http://127.0.0.1:4000/hook", "webhook", allowed)).toBeNull();
    expect(check("http://localhost:5000/", "slack", allowed)).toBeNull();
    for (const other of ["http://127.0.0.1:4001/", "https://127.0.0.1:4000/", "http://me@127.0.0.1:4000/"])
      expect(check(other, "webhook", allowed), other).not.toBeNull();
    expect(check("data:text/plain,x", "webhook", "null")).not.toBeNull();
  });
});

test.each([
  ["https://hooks.slack.com/services/T000/B000/XXXX", true],
  ["https://hooks.slack-gov.com/services/T000/B000/XXXX", true],
  ["https://hooks.slack.com:443/services/T000/B000/XXXX", true],
  ["http://hooks.slack.com/services/T000/B000/XXXX", false],
  ["https://hooks.slack.com./services/T000/B000/XXXX", false],
  ["https://hooks.slack.com:444/services/T000/B000/XXXX", false],
  ["https://me@hooks.slack.com/services/T000/B000/XXXX", false],
  ["https://hooks.slack.com.evil.com/services/T000/B000/XXXX", false],
  ["https://evil.com/hooks.slack.com/services/T000/B000/XXXX", false],
  ["https://slack.com/services/T000/B000/XXXX", false],
  ["https://hooks.slack.com/services/T000/B000", false],
  ["https://hooks.slack.com/services/T000/B000/XXXX/y", false],
  ["https://hooks.slack.com/services/T000/B000/XXXX?x=1", false],
  ["https://hooks.slack.com/services/../workflows/x", false],
  ["https://hooks.slack.com/workflows/T000/B000/XXXX", false],
  ["https://hooks.slack.com/services/T000/B000/%2e%2e", false],
])("of Slack, %s is taken: %s", (text, isTaken) => {
  expect(check(text, "slack") === null).toBe(isTaken);
});

test.each([
  ["https://hooks.slack.com/services/T0/B0/verysecretXYZW", "https://hooks.slack.com/…XYZW"],
  ["https://acme.com/hook", "https://acme.com/…"],
  ["https://acme.com/", "https://acme.com/"],
  ["https://acme.com/?key=abcdefghijklmnopqrst", "https://acme.com/…qrst"],
])("%s is shown as %s", (address, shown) => {
  expect(maskAddress(new URL(address))).toBe(shown);
});
