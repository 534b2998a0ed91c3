"""The ways through the pages, in a real browser: at a desk, on a phone, by keyboard, scriptless."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from storage.event import Action
from tests.browser.filling import fill_opinion, opinion_pdf
from tests.browser.seen import DESK, PHONE, Site, Visitor
from tests.browser.world import FRESH, KEYS, PLAIN, number
from tests.browser.world import PHONE as ON_PHONE
from tests.house import events


def _download(page: Page, folder: Path) -> str:
    """Download the package as people do, and return its digest as they compute it."""
    with page.expect_download() as started:
        page.get_by_role("link", name="下载材料包").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("size", "index"), [(DESK, FRESH), (PHONE, ON_PHONE)], ids=["desk", "phone"]
)
def test_ap_07_ap_08_from_the_queue_to_the_opinion(
    chromium: Browser, site: Site, tmp_path: Path, size: tuple[int, int], index: int
) -> None:
    """AP-07, AP-08, AP-09, CU-05, TT-02: one commission from its arrival to its opinion."""
    with Visitor.come(chromium, site, size) as visitor:
        page = visitor.page
        visitor.sign_in()
        page.get_by_role("link", name=number(index)).click()
        assert visitor.fits()
        digest = _download(page, tmp_path)
        assert digest == site.world.digests[index]
        field = page.get_by_label("材料包的校验值（SHA-256）")
        assert field.input_value() == ""
        field.fill("0" * 64)
        page.get_by_role("button", name="签收").click()
        expect(page.get_by_role("alert")).to_contain_text("校验值")
        field.fill(" ".join((digest[:20], digest[20:])))
        page.get_by_role("button", name="签收").click()
        expect(page.get_by_text("已签收，校验值一致。")).to_be_visible()
        page.get_by_role("button", name="受理", exact=True).click()
        expect(page.get_by_text("已受理。")).to_be_visible()
        _ask_and_go_on(page)
        _return_opinion(visitor, index, digest, tmp_path)
        page.get_by_role("button", name="退出").click()
        visitor.open(site.commission(index))
        expect(page.get_by_role("heading", name="登录")).to_be_visible()
    fetched = [
        each
        for each in events(site.world.custody, Action.DOWNLOADED)
        if each.details["commission_no"] == number(index)
    ]
    assert {each.details["phase"] for each in fetched} == {"begun", "ended"}


def _ask_and_go_on(page: Page) -> None:
    page.locator("summary", has_text="要求补充材料").click()
    page.get_by_label("需要补充什么").fill("请提供反应釜的型号")
    page.get_by_role("button", name="要求补充材料").click()
    expect(page.locator(".line [aria-current=step]")).to_have_text("等待补充材料")
    page.locator("summary", has_text="不等补充材料").click()
    page.get_by_label("为什么可以继续").fill("铭牌照片已足够")
    page.get_by_role("button", name="不等补充材料，继续鉴定").click()
    expect(page.get_by_text("期限继续计算")).to_be_visible()


def _return_opinion(visitor: Visitor, index: int, digest: str, folder: Path) -> None:
    page = visitor.page
    page.get_by_role("link", name="提交鉴定意见书").click()
    assert visitor.fits()
    fill_opinion(page, index, digest, opinion_pdf(folder))
    page.get_by_role("button", name="提交意见书").click()
    expect(page.get_by_text("意见书已提交")).to_be_visible()
    expect(page.get_by_role("heading", name="申江司鉴〔2026〕知鉴字第9号")).to_be_visible()
    # What no program can see waits for a person; the checks that held can be opened.
    expect(page.get_by_text("项须由人核对")).to_be_visible()
    page.locator("summary", has_text="项检查通过").click()
    expect(page.get_by_text("所载校验值与发出的材料包一致")).to_be_visible()


def test_accept_by_keyboard_alone(visitor: Visitor, site: Site) -> None:
    """Tab and Enter lead from the sign-in page to an accepted commission."""
    page = visitor.page
    visitor.open("/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    _tab_to(page, "[name=name]")
    page.keyboard.type("zhoujing")
    page.keyboard.press("Tab")
    from tests.browser.world import PASSWORD

    page.keyboard.insert_text(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="鉴定委托")).to_be_visible()
    _tab_to(page, f"a:text-is('{number(KEYS)}')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=number(KEYS))).to_be_visible()
    _tab_to(page, "[name=package_digest]")
    page.keyboard.type(site.world.digests[KEYS])
    page.keyboard.press("Enter")
    expect(page.get_by_text("已签收，校验值一致。")).to_be_visible()
    _tab_to(page, "button:text-is('受理')")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已受理。")).to_be_visible()


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus, and the focus can be seen."""
    wanted = page.locator(selector).first
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            outline = wanted.evaluate("each => getComputedStyle(each).outlineStyle")
            assert outline != "none"
            return
    pytest.fail(f"Tab does not lead to {selector}")


def test_it_works_without_scripts(chromium: Browser, site: Site, tmp_path: Path) -> None:
    """Everything is a plain form: sign in, acknowledge, accept, return an opinion."""
    with Visitor.come(chromium, site, java_script_enabled=False) as visitor:
        page = visitor.page
        visitor.sign_in("hegong")
        page.get_by_role("link", name=number(PLAIN)).click()
        page.get_by_label("材料包的校验值（SHA-256）").fill(site.world.digests[PLAIN])
        page.get_by_role("button", name="签收").click()
        page.get_by_role("button", name="受理", exact=True).click()
        expect(page.get_by_text("已受理。")).to_be_visible()
        assert not page.locator(".scripted").first.is_visible()
        _return_opinion(visitor, PLAIN, site.world.digests[PLAIN], tmp_path)
