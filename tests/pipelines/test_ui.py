"""The Dagster UI as a user sees it: an edited heuristic is marked, made, and followed downstream.

A real ``dagster dev`` on the loopback interface, driven by a headless Chromium.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import dagster as dg
import pytest
from support import bring_up_to_date, edit

from epoxy_core.home import Home
from epoxy_core.task import load_task
from pipelines.definitions import build

ROOT = Path(__file__).parents[2]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
DRIVER = shutil.which("chromedriver")
LOCATION = "epoxy"
LF, EXTENDED, MODEL = "lf/question", "extended/question", "label_model"

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=1600,1100",
]

ASSETS = "{ assetNodes { assetKey { path } staleStatus staleCauses { reason } } }"
RELOAD = """
mutation Reload($location: String!) {
  reloadRepositoryLocation(repositoryLocationName: $location) {
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename } } } }
"""


class Dagster:
    """A running ``dagster dev`` and what its GraphQL says."""

    def __init__(self, url):
        self.url = url

    def ask(self, query, **variables):
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)["data"]

    def stale(self):
        """Assets that Dagster calls stale or missing, and why."""
        return {
            "/".join(node["assetKey"]["path"][1:]): [one["reason"] for one in node["staleCauses"]]
            for node in self.ask(ASSETS)["assetNodes"]
            if node["staleStatus"] != "FRESH"
        }

    def reload(self):
        answer = self.ask(RELOAD, location=LOCATION)["reloadRepositoryLocation"]
        assert answer["locationOrLoadError"]["__typename"] == "RepositoryLocation", answer


def until(what, found, seconds):
    """Poll until ``found()`` is true; give it."""
    end, seen = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if seen := found():
                return seen
        except OSError as error:  # not up yet
            seen = error
        time.sleep(0.3)
    pytest.fail(f"no {what} within {seconds} s; last: {seen}")


def ended(process):
    """End a process and all it started, which is in its process group."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(timeout=3)
    process.wait()


@pytest.fixture
def dagster(finished, tmp_path):
    folder, home = finished
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "messages").symlink_to(folder)
    bring_up_to_date(folder, home)  # writes this home's dagster.yaml; all is fresh already
    environment = {
        **os.environ,
        "EPOXY_HOME": str(home.root),
        "EPOXY_TASKS": str(tmp_path / "tasks"),
        "DAGSTER_HOME": str(home.dagster),
    }
    dagster = Path(sys.executable).with_name("dagster")
    command = [str(dagster), "dev", "-w", str(ROOT / "workspace.yaml")]
    with (tmp_path / "dagster.log").open("w+") as log:
        process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        running = Dagster(f"http://127.0.0.1:{port}")
        try:
            until("code location", lambda: running.ask(ASSETS)["assetNodes"], 60)
            yield running
        finally:
            ended(process)


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'chromium'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(40)
    try:
        yield driver
    finally:
        driver.quit()


def open_page(dagster, browser, asset):
    """Open an asset's page."""
    browser.get(f"{dagster.url}/assets/messages/{asset}")


def shown(browser, text, seconds=25):
    """The first visible element with exactly this text and no other element in it."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def found(driver):
        elements = driver.find_elements(By.XPATH, f"//*[not(*) and normalize-space(.)='{text}']")
        return next((element for element in elements if element.is_displayed()), None)

    return WebDriverWait(browser, seconds).until(found, f"{text!r} is not on {browser.current_url}")


def gone(browser, text, seconds=25):
    """Wait until no element begins with this text."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    path = f"//*[not(*) and starts-with(normalize-space(.), '{text}')]"
    WebDriverWait(browser, seconds).until_not(lambda driver: driver.find_elements(By.XPATH, path))


def hovered(browser, text):
    """What pops up over the element with this text."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    ActionChains(browser).move_to_element(shown(browser, text)).perform()
    popover = "//*[contains(@class, 'popover') and contains(., 'change')]"
    return WebDriverWait(browser, 10).until(
        lambda driver: next(
            (e.text for e in driver.find_elements(By.XPATH, popover) if "change" in e.text), None
        )
    )


def materialize(dagster, browser, asset):
    """Press the button on the asset's page and wait until it is fresh, there as well."""
    shown(browser, "Materialize").click()
    until(f"fresh {asset}", lambda: asset not in dagster.stale(), 60)
    gone(browser, "Unsynced")


@pytest.mark.skipif(not BROWSER, reason="Chromium is not installed (apt install chromium)")
@pytest.mark.skipif(not DRIVER, reason="no chromedriver (apt install chromium-driver)")
def test_an_edit_is_marked_made_and_followed(finished, browser, dagster, tmp_path):
    folder, home = finished
    assert dagster.stale() == {}

    browser.get(f"{dagster.url}/asset-groups?expanded=global%40global%3Amessages__lf")
    for text in ("messages__lf", "question", "words", "messages__extended", "messages__labels"):
        shown(browser, text)
    browser.save_screenshot(str(tmp_path / "lineage.png"))

    edit(folder / "labeling_functions.py", 'endswith("?")', 'endswith("t")')
    dagster.reload()
    until("stale heuristic", dagster.stale, 15)
    assert dagster.stale() == {LF: ["has a new code version"]}
    open_page(dagster, browser, LF)
    assert "code version" in hovered(browser, "Unsynced (1)")
    assert browser.find_elements("xpath", "//a[contains(@href, 'labeling_functions.py')]")
    browser.save_screenshot(str(tmp_path / "edited.png"))
    materialize(dagster, browser, LF)

    for asset, source in ((EXTENDED, LF), (MODEL, EXTENDED)):
        assert asset in dagster.stale()
        open_page(dagster, browser, asset)
        change = hovered(browser, "Unsynced (1)")
        assert "data version" in change
        assert source.rpartition("/")[2] in change
        browser.save_screenshot(str(tmp_path / f"{asset.partition('/')[0]}.png"))
        if asset != MODEL:
            materialize(dagster, browser, asset)

    assert not bring_up_to_date(folder, home).failures
    until("fresh task", lambda: not dagster.stale(), 15)
    gone(browser, "Unsynced")


def test_heuristics_link_to_where_they_are_written(template, tmp_path):
    graph = build([load_task(template)], Home(tmp_path)).resolve_asset_graph()
    for name in ("question", "words"):
        metadata = graph.get(dg.AssetKey(["messages", "lf", name])).metadata
        (link,) = metadata["dagster/code_references"].value.code_references
        assert Path(link.file_path).samefile(template / "labeling_functions.py")
        lines = Path(link.file_path).read_text().splitlines()
        assert name in "".join(lines[link.line_number - 1 : link.line_number + 1])


def test_column_lineage_names_columns_of_what_the_asset_depends_on(template, tmp_path):
    graph = build([load_task(template)], Home(tmp_path)).resolve_asset_graph()

    def columns(asset):
        schema = graph.get(asset).metadata["dagster/column_schema"]
        return {column.name for column in schema.columns}

    with_lineage = set()
    for asset in graph.materializable_asset_keys:
        lineage = graph.get(asset).metadata.get("dagster/column_lineage")
        for column, sources in lineage.deps_by_column.items() if lineage else ():
            with_lineage.add(asset.path[1])
            assert column in columns(asset)
            for source in sources:
                assert source.asset_key in graph.get_ancestor_asset_keys(asset), (asset, source)
                assert source.column_name in columns(source.asset_key), (asset, source)
    assert with_lineage == {
        "lf",
        "extended",
        "label_model",
        "labels",
        "label_changes",
        "lf_summary",
        "refined_labels",
        "training_set",
        "evaluation",
    }
