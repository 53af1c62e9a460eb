"""Secrets in text: patterns of tokens and keys, checked for randomness, and shown with all but a few letters hidden."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONGEST_LINE = 20_000
SHOWN, SHORTEST = 4, 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of secret. `near` is a text that stands in every line with one; `bits` is its least entropy a letter."""

    kind: str
    near: str
    regex: re.Pattern[str]
    bits: float


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was found; the value itself is not kept."""

    kind: str
    shown: str
    start: int
    end: int


def _token(kind: str, near: str, regex: str, bits: float = 2.5) -> Pattern:
    """A token that is known by its own beginning."""
    return Pattern(kind, near.lower(), re.compile(rf"(?<![A-Za-z0-9_])({regex})(?![A-Za-z0-9_])"), bits)


def _named(kind: str, word: str, regex: str, bits: float = 3.0) -> Pattern:
    """A value that is known by the name it is given: `word_secret = "…"`."""
    gap = r"[\w.\- ]{0,24}[\"']?\s{0,4}(?:=|:|=>|:=|,)\s{0,4}[\"']?"
    return Pattern(kind, word.lower(), re.compile(rf"(?i:{word}){gap}({regex})(?![A-Za-z0-9/+=_\-])"), bits)


PATTERNS = (
    _token("AWS access key", "", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _named("AWS secret key", r"aws.{0,20}(?:secret|private|sk)", r"[A-Za-z0-9/+=]{40}", 3.5),
    _named("AWS secret key", "secret_?access_?key", r"[A-Za-z0-9/+=]{40}", 3.5),
    _named("AWS account id", r"aws.{0,12}account.{0,8}id", r"\d{4}-?\d{4}-?\d{4}", 1.5),
    _token("Amazon MWS key", "amzn.mws", r"amzn\.mws\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _named("Facebook client id", "(?:facebook|fb)", r"\d{13,17}", 2.0),
    _named("Facebook client secret", "(?:facebook|fb)", r"[0-9a-f]{32}"),
    _named("Twitter client id", "twitter", r"[0-9a-zA-Z]{18,25}"),
    _named("Twitter client secret", "twitter", r"[0-9a-zA-Z]{35,50}"),
    _named("LinkedIn client id", "linkedin", r"[0-9a-z]{12,14}", 2.5),
    _named("LinkedIn client secret", "linkedin", r"[0-9a-zA-Z]{16}"),
    _token("GitHub personal token", "ghp_", r"ghp_[A-Za-z0-9]{36}"),
    _token("GitHub fine-grained token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _token("GitHub OAuth token", "gho_", r"gho_[A-Za-z0-9]{36}"),
    _token("GitHub app token", "gh", r"gh[us]_[A-Za-z0-9]{36}"),
    _token("GitHub refresh token", "ghr_", r"ghr_[A-Za-z0-9]{36,76}"),
    _token("GitLab token", "gl", r"gl(?:pat|dt|rt|ptt|ft|agent|cbt|soat|imt)-[A-Za-z0-9_\-]{20,64}"),
    _token("Slack token", "xox", r"xox[abeoprs](?:\.xox[abp])?-[A-Za-z0-9\-]{10,250}"),
    _token("Slack app token", "xapp-", r"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+"),
    _token("Slack webhook", "hooks.slack.com", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/]{30,120}"),
    Pattern("private key", "-----begin", re.compile(r"(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)"), 0.0),
    _token("age secret key", "age-secret-key-", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _token("Google API key", "aiza", r"AIza[0-9A-Za-z_\-]{35}"),
    _token("Google OAuth secret", "gocspx-", r"GOCSPX-[A-Za-z0-9_\-]{28}"),
    Pattern("Google service account", "service_account", re.compile(r"(\"type\"\s{0,4}:\s{0,4}\"service_account\")"), 0.0),
    _named("Azure storage key", "accountkey", r"[A-Za-z0-9+/]{86}==", 4.0),
    _token("Azure client secret", "q~", r"[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}", 3.5),
    _named("Azure shared access key", "sharedaccesskey", r"[A-Za-z0-9+/]{43}=", 3.5),
    _named("Heroku key", "heroku", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    _token("Heroku token", "hrku-", r"HRKU-[A-Za-z0-9_\-]{58,64}"),
    _token("Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}", 3.0),
    _token("Mailgun key", "key-", r"key-[0-9a-zA-Z]{32}", 3.0),
    _token("Braintree token", "access_token$", r"access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    _token("Picatic key", "sk_live_", r"sk_live_[0-9a-z]{32}"),
    _token("SendGrid key", "sg.", r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}"),
    _token("Stripe key", "_live_", r"(?:sk|rk)_live_[0-9a-zA-Z]{10,247}"),
    _token("Square token", "sq0atp-", r"sq0atp-[0-9A-Za-z_\-]{22}"),
    _token("Square secret", "sq0csp-", r"sq0csp-[0-9A-Za-z_\-]{43}"),
    _token("Twilio key", "sk", r"SK[0-9a-f]{32}", 3.0),
    _token("Dynatrace token", "dt0", r"dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _token("Shopify secret", "shpss_", r"shpss_[0-9a-fA-F]{32}"),
    _token("Shopify token", "shpat_", r"shpat_[0-9a-fA-F]{32}"),
    _token("Shopify custom app token", "shpca_", r"shpca_[0-9a-fA-F]{32}"),
    _token("Shopify private app token", "shppa_", r"shppa_[0-9a-fA-F]{32}"),
    _token("PyPI token", "pypi-", r"pypi-AgE[A-Za-z0-9_\-]{50,1000}"),
    _token("npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _named("npm token", "_authtoken", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _token("RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _token("crates.io token", "cio", r"cio[A-Za-z0-9]{32}", 3.5),
    _token("Docker Hub token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{27,64}"),
    _token("OpenAI key", "sk-", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_\-]{20,200}"),
    _token("OpenAI key", "t3blbkfj", r"sk-[A-Za-z0-9_\-]{20,80}T3BlbkFJ[A-Za-z0-9_\-]{20,80}"),
    _token("Anthropic key", "sk-ant-", r"sk-ant-(?:api|admin|oat)\d\d-[A-Za-z0-9_\-]{80,120}"),
    _token("Hugging Face token", "hf_", r"hf_[A-Za-z]{34}"),
    _token("Hugging Face organisation token", "api_org_", r"api_org_[A-Za-z]{34}"),
    _token("Replicate token", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _token("Groq key", "gsk_", r"gsk_[A-Za-z0-9]{52}"),
    _token("Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{48}"),
    _token("xAI key", "xai-", r"xai-[A-Za-z0-9]{80}"),
    _token("DigitalOcean token", "do", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("Discord webhook", "discord", r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/\d{15,22}/[\w\-]{60,80}"),
    _named("Discord bot token", "discord", r"[MNO][A-Za-z\d_\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,38}"),
    _named("Telegram bot token", "(?:telegram|bot|tg)", r"\d{8,10}:[A-Za-z0-9_\-]{35}"),
    _token("Vault token", "hv", r"hv[sbr]\.[A-Za-z0-9_\-]{24,200}"),
    _token("Terraform token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,70}"),
    _token("Grafana token", "gl", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,200}"),
    _token("New Relic key", "nr", r"NR(?:AK|JS|II)-[A-Z0-9a-z]{19,40}"),
    _token("Sentry token", "sntry", r"sntry[su]_[A-Za-z0-9+/=_]{40,200}"),
    _token("Postman key", "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _token("Atlassian token", "atatt3", r"ATATT3[A-Za-z0-9_\-=]{60,250}"),
    _token("Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _token("Notion token", "ntn_", r"ntn_[A-Za-z0-9]{43,50}"),
    _token("Supabase key", "sb", r"sb(?:p_[0-9a-f]{40}|_secret_[A-Za-z0-9_\-]{20,60})"),
    _token("PlanetScale secret", "pscale_", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.\-]{32,64}"),
    _token("Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    _token("Doppler token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.\-]{40,60}"),
    _token("Tailscale key", "tskey-", r"tskey-(?:api|auth|client)-[A-Za-z0-9]{8,24}-[A-Za-z0-9]{20,40}"),
    _token("Sonar token", "sq", r"sq[apu]_[0-9a-f]{40}"),
    _named("Okta token", "(?:okta|ssws)", r"00[A-Za-z0-9_\-]{40}", 3.5),
    _named("Cloudflare token", "cloudflare", r"[A-Za-z0-9_\-]{40}", 3.7),
    _named("Datadog key", "(?:datadog|dd)_?(?:api|app)", r"[0-9a-f]{32}(?:[0-9a-f]{8})?"),
    Pattern(
        "password in an address",
        "://",
        re.compile(r"[a-z][a-z0-9+]{2,12}://[^\s:/@\"'<>{}$]{1,64}:([^\s:/@\"'<>{}$*]{8,64})@[a-z0-9.\-]+", re.IGNORECASE),
        2.5,
    ),
)  # fmt: skip


def found(line: str) -> Iterator[Secret]:
    """Secrets of one line, each place once."""
    line = line[:LONGEST_LINE]
    lower = line.lower()
    taken = [False] * len(line)
    for pattern in PATTERNS:
        if not _may_hold(pattern, lower):
            continue
        for match in pattern.regex.finditer(line):
            start, end = match.span(1)
            if entropy(match[1]) >= pattern.bits and not any(taken[start:end]):
                taken[start:end] = [True] * (end - start)
                yield Secret(pattern.kind, shown(match[1]), start, end)


def _may_hold(pattern: Pattern, lower: str) -> bool:
    """Whether the literal part of a pattern is there; most lines end here."""
    return not pattern.near.isascii() or _LITERAL.fullmatch(pattern.near) is None or pattern.near in lower


# A `near` with other letters is a pattern itself, and is left to the regular expression.
_LITERAL = re.compile(r"[a-z0-9_\-.:/~$]*")


def masked(text: str) -> tuple[str, list[Secret]]:
    """Text in which every secret is hidden, and what was hidden."""
    lines, all_found = [], []
    for line in text.splitlines(keepends=True):
        for secret in sorted(found(line), key=lambda one: -one.start):
            line = line[: secret.start] + secret.shown + line[secret.end :]
            all_found.append(secret)
        lines.append(line)
    return "".join(lines), all_found


def hidden(value: Any) -> tuple[Any, list[Secret]]:
    """A JSON value in whose texts every secret is hidden, and what was hidden."""
    found: list[Secret] = []

    def walk(at: Any) -> Any:
        if isinstance(at, dict):
            return {key: walk(inside) for key, inside in at.items()}
        if isinstance(at, list):
            return [walk(inside) for inside in at]
        if isinstance(at, str) and len(at) >= SHORTEST:
            text, more = masked(at)
            found.extend(more)
            return text
        return at

    return walk(value), found


def shown(value: str) -> str:
    """The first letters of a secret and how long it is."""
    visible = SHOWN if len(value) >= 4 * SHOWN else 0
    return f"{value[:visible]}…({len(value)})"


def entropy(value: str) -> float:
    """Bits a letter, from how often each letter stands there."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values()) if size else 0.0
