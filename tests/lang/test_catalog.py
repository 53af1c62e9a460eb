"""Looking names up."""

from eyas.catalog import Catalog, Field


def test_a_dotted_part_is_an_argument(catalog: Catalog) -> None:
    found = catalog.find("evt.arg.flags")
    assert found is not None
    assert (found.field.name, found.key) == ("evt.arg", "flags")
    assert catalog.find("evt.arg.nosuch") is None
    assert catalog.find("evt.abspath.dst") is not None
    assert catalog.find("evt.type.is.open") is not None


def test_the_longest_parameter_name_is_taken(catalog: Catalog) -> None:
    assert catalog.longest_param("flagsx") == "flags"
    assert catalog.longest_param("zzz") is None


def test_fields_can_be_added(catalog: Catalog) -> None:
    more = catalog.with_fields([Field("static.site")])
    assert more.find("static.site") is not None
    assert catalog.find("static.site") is None


def test_the_closest_name_is_offered(catalog: Catalog) -> None:
    assert catalog.closest("proc.nmae") == "proc.name"
    assert catalog.closest_event("opena") in ("openat", "open")
