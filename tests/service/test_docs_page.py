import re

from tests.service.conftest import serving


def test_interactive_documentation_needs_no_network_and_keeps_the_rules(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "://" not in page.text
    assert not re.search(r"<script>|style=", page.text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert client.get(address).status_code == 200
    assert '"/openapi.json"' in client.get("/docs/start.js").text


def test_addresses_lead_through_a_proxys_path(settings):
    from dataclasses import replace

    with serving(replace(settings, root_path="/geo")) as client:
        assert 'src="/geo/docs/start.js"' in client.get("/docs").text
        assert '"/geo/openapi.json"' in client.get("/docs/start.js").text
