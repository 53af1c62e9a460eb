"""Secrets in text: found by family, checked for randomness, never shown whole."""

import random
import string

import pytest

from eyas.sources.reach import diff, secrets

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


def some(count: int, alphabet: str = LETTERS) -> str:
    return "".join(random.Random(count).choices(alphabet, k=count))


def uuid() -> str:
    return "-".join(some(n, HEX) for n in (8, 4, 4, 4, 12))


# Beginnings stand apart from what follows, so that no scanner takes this file for a leak.
FAMILIES = {
    "AWS access key": "AK" + "IA" + some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "AWS secret key": "aws_secret_access_key = " + some(40),
    "AWS account id": "aws_account_id: 123456789012",
    "Amazon MWS key": "amzn." + "mws." + uuid(),
    "Facebook client secret": "facebook_secret='" + some(32, HEX) + "'",
    "Facebook client id": 'fb_app_id = "1234567890123456"',
    "Twitter client secret": "twitter_secret = " + some(44),
    "LinkedIn client secret": 'linkedin_secret: "' + some(16) + '"',
    "GitHub personal token": "gh" + "p_" + some(36),
    "GitHub fine-grained token": "github" + "_pat_" + some(22) + "_" + some(59),
    "GitHub OAuth token": "gh" + "o_" + some(36),
    "GitHub app token": "gh" + "s_" + some(36),
    "GitHub refresh token": "gh" + "r_" + some(76),
    "GitLab token": "gl" + "pat-" + some(20),
    "Slack token": "xo" + "xb-123456789012-1234567890123-" + some(24),
    "Slack webhook": "https://hooks."
    + "slack.com/services/T"
    + some(8, UPPER)
    + "/B"
    + some(8, UPPER)
    + "/"
    + some(24),
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "Google API key": "AI" + "za" + some(35),
    "Google service account": '"type": "service' + '_account"',
    "Heroku key": "heroku_api_key=" + uuid(),
    "Mailchimp key": some(32, HEX) + "-us12",
    "Mailgun key": "key" + "-" + some(32),
    "Braintree token": "access_token" + "$production$" + some(16, HEX) + "$" + some(32, HEX),
    "Picatic key": "sk" + "_live_" + some(32, string.ascii_lowercase + string.digits),
    "SendGrid key": "S" + "G." + some(22) + "." + some(43),
    "Stripe key": "rk" + "_live_" + some(24),
    "Square token": "sq0" + "atp-" + some(22),
    "Square secret": "sq0" + "csp-" + some(43),
    "Twilio key": "S" + "K" + some(32, HEX),
    "Dynatrace token": "dt0" + "c01." + some(24, UPPER) + "." + some(64, UPPER),
    "Shopify secret": "shp" + "ss_" + some(32, HEX),
    "Shopify token": "shp" + "at_" + some(32, HEX),
    "Shopify custom app token": "shp" + "ca_" + some(32, HEX),
    "Shopify private app token": "shp" + "pa_" + some(32, HEX),
    "PyPI token": "pypi-" + "AgE" + some(60),
    "npm token": "np" + "m_" + some(36),
    "OpenAI key": "sk" + "-proj-" + some(48),
    "Anthropic key": "sk" + "-ant-api03-" + some(95),
    "Hugging Face token": "h" + "f_" + some(34, string.ascii_letters),
    "Azure storage key": "AccountKey=" + some(86) + "==",
    "Docker Hub token": "dckr" + "_pat_" + some(27),
    "Vault token": "hv" + "s." + some(28),
    "Databricks token": "da" + "pi" + some(32, HEX),
    "password in an address": "postgres://app:" + some(14) + "@db.example.com/x",
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_is_found_and_hidden(kind: str) -> None:
    line = FAMILIES[kind]
    found = list(secrets.found(line))
    assert kind in {one.kind for one in found}
    for one in found:
        value = line[one.start : one.end]
        assert value not in one.shown
        assert len(one.shown.partition("…")[0]) <= 4
    hidden, _ = secrets.masked(line)
    assert all(line[one.start : one.end] not in hidden for one in found if len(line[one.start : one.end]) > 4)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "the quick brown fox",
        "AK" + "IA" + "X" * 16,
        "gh" + "p_" + "0" * 36,
        "aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}",
        'facebook_secret = "' + "a" * 32 + '"',
        "postgres://app:${PASSWORD}@db/x",
        "https://example.com/path:8080@x",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "twitter: a social network that people once used",
        "sha512-" + some(86) + "==",
    ],
)
def test_what_is_no_secret_is_left_alone(line: str) -> None:
    assert list(secrets.found(line)) == []


def test_a_long_line_and_a_hostile_one_end() -> None:
    assert list(secrets.found("a" * 1_000_000)) == []
    for text in ("aws " * 5000, "=" * 20_000, "discord" * 3000, "-----BEGIN " * 2000, "://a:" * 4000):
        list(secrets.found(text))


def test_hidden_values_keep_their_shape() -> None:
    token = FAMILIES["npm token"]
    value, found = secrets.hidden({"a": [f"x {token} y", 1, None], "b": {"c": token}})
    assert [one.kind for one in found] == ["npm token", "npm token"]
    assert value["a"][1:] == [1, None]
    assert token not in str(value)


def test_lines_of_a_diff_have_their_numbers() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +10,3 @@ f()\n a\n-b\n+++c\n+d\n\\ No newline at end of file\n"
    assert [(one.file, one.number, one.text) for one in diff.added(text)] == [
        ("x", 11, "++c"),
        ("x", 12, "d"),
    ]
