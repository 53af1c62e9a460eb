"""How much of a rule works on a machine."""

from eyas import catalog, rules
from eyas.rules import document
from eyas.watch.fidelity import Fidelity, findings

RULES = """
- rule: opens
  desc: d
  condition: evt.type in (open, openat)
  output: o
  priority: INFO
- rule: mounts
  desc: d
  condition: evt.type = mount
  output: o
  priority: INFO
- rule: of a probe
  desc: d
  condition: evt.type = open and container.healthcheck = web
  output: o
  priority: INFO
"""


def test_a_rule_is_complete_degraded_or_blind_by_what_is_collected() -> None:
    known = catalog.load()
    loaded = rules.load_documents([document.parse("t.yaml", RULES)], known, rules.Settings())
    collected = known.ids["open"]
    found = {one.rule: one for one in findings(loaded.active, known, collected)}
    assert found["opens"].fidelity is Fidelity.DEGRADED
    assert found["opens"].reasons == ("not collected here: openat",)
    assert found["mounts"].fidelity is Fidelity.BLIND
    assert "container.healthcheck has no value" in found["of a probe"].reasons[0]
    everything = [event.id for event in known.events]
    assert findings(loaded.active[:1], known, everything)[0].fidelity is Fidelity.COMPLETE
