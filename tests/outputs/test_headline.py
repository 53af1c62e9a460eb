"""Headlines: Go templates of Falcosidekick and our own, in a sandbox."""

import pytest
from structlog.testing import capture_logs

from eyas.errors import UsageError
from eyas.outputs.body.headline import compiled, render
from eyas.outputs.body.markup import markdown, slack
from tests.outputs.cases import ALERT

SHOWN = {
    'Alert : rule *{{ .Rule }}* on *{{ index .OutputFields "k8s.ns.name" }}*': "Alert : rule *Write below etc* on *shop*",
    "{{.Priority}} {{- .Source -}} x": "Criticalsyscallx",
    "{{ if .Hostname }}{{ .Hostname }}{{ else }}nowhere{{ end }}": "node-7",
    '{{ if index .OutputFields "no.such" }}a{{ else if .Tags }}{{ .Tags }}{{ end }}': "T1543.002, filesystem, mitre_persistence",
    "{{ rule | upper }} {{ fields['proc.pid'] }}": "WRITE BELOW ETC 4711",
    "{{ .UUID }} {{ .Time }}": "537bb2cd-717e-4f57-be9e-f99125216f00 2023-11-14T22:13:20.123456789Z",
    '{{ or (index . "no.such") "none" }} {{ or (index . "fd.name") "none" }}': "none /etc/cron.d/x",
    '{{ if eq .Priority "Critical" }}page{{ else }}mail{{ end }}': "page",
    '{{ if and .Hostname (index . "no.such") }}both{{ else }}one{{ end }}': "one",
    "nothing to fill": "nothing to fill",
}


@pytest.mark.parametrize("template", SHOWN)
def test_a_template_is_filled(template: str) -> None:
    assert render(template, ALERT, slack) == SHOWN[template]


def test_values_are_escaped_and_the_template_is_not() -> None:
    shown = render('*{{ index .OutputFields "proc.cmdline" }}*', ALERT, markdown)
    assert shown.startswith("*vi /etc/cron.d/x \\<EOF\\> & ") and shown.endswith("*")


@pytest.mark.parametrize(
    "template",
    ["{{ .Nothing }}", "{{ rule", "{% for x in %}", "{{ range .Tags }}{{ end }}"],
)
def test_a_fault_in_a_template_is_told(template: str) -> None:
    with pytest.raises(UsageError, match="template"):
        compiled(template)


@pytest.mark.parametrize(
    "template", ["{{ ''.__class__.__mro__ }}", "{{ fields.__init__.__globals__ }}", "{{ cycler.__init__ }}"]
)
def test_a_template_reaches_nothing_but_the_alert(template: str) -> None:
    assert "class" not in render(template, ALERT, slack)


def test_a_template_that_fails_shows_nothing_and_says_so_once() -> None:
    template = '{{ fields["no.such"].upper() }}'
    with capture_logs() as lines:
        assert [render(template, ALERT, slack) for _ in range(3)] == ["", "", ""]
    assert [line["template"] for line in lines] == [template]
