"""What the pages do beside the straight way: news, large files, double clicks, other people."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from portal.web.pages import listing, queue
from storage.event import Action
from tests.browser.filling import fill_opinion, opinion_pdf
from tests.browser.seen import Site, Visitor
from tests.browser.world import (
    CLOSED,
    EXTENDING,
    FOREIGN,
    LARGE,
    LATE,
    NEWS,
    PASSWORD,
    RUNNING,
    SUPPLIED,
    TWICE,
    WAITING,
    number,
)
from tests.house import events


def test_new_work_appears_and_the_focus_stays(chromium: Browser, site: Site) -> None:
    """The list is refreshed in place; whoever is on a link stays on it, and is told of the news."""
    with Visitor.come(chromium, site) as visitor:
        page = visitor.page
        visitor.sign_in()
        link = page.get_by_role("link", name=number(WAITING))
        link.focus()
        page.evaluate(
            "htmx.ajax('GET', document.getElementById('rows').getAttribute('hx-get'), "
            "{target: '#rows', swap: 'outerHTML'})"
        )
        page.wait_for_timeout(300)
        assert link.evaluate("each => each === document.activeElement")
        site.world.send(NEWS, "03-10 09:00", exhibits=("E0001",))
        page.evaluate("htmx.trigger('#rows', 'refresh')")
        expect(page.get_by_role("link", name=number(NEWS))).to_be_visible()
        assert link.evaluate("each => each === document.activeElement")
        expect(page.locator("#announced")).to_have_text("列表已更新")
        visitor.context.clear_cookies(name="zhenglian-dev-session")
        page.evaluate("htmx.trigger('#rows', 'refresh')")
        expect(page.get_by_role("heading", name="登录")).to_be_visible()
        assert page.url.endswith("/sign-in?next=/queue")


def test_a_long_list_is_paged_and_searched(
    visitor: Visitor, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every commission stands on exactly one page; a number or part of one finds its own."""
    monkeypatch.setattr(listing, "PER_PAGE", 5)
    page, seen = visitor.page, list[str]()
    visitor.sign_in()
    page.get_by_label("状态").select_option(label="全部")
    page.get_by_role("button", name="查找").click()
    while True:
        seen += page.locator("ol.rows h3").all_inner_texts()
        following = page.get_by_role("link", name="下一页")
        if not following.count():
            break
        following.click()
    sent = {each.commission_no for each in site.world.desk.commissions(agency="SJ")}
    assert sorted(seen) == sorted(sent)
    page.get_by_role("link", name="回到开头").click()
    page.get_by_role("searchbox").fill("〕16号")
    page.get_by_role("button", name="查找").click()
    assert page.locator("ol.rows h3").all_inner_texts() == [number(CLOSED)]


def test_a_large_opinion_goes_on_after_a_cut(chromium: Browser, site: Site, tmp_path: Path) -> None:
    """AP-08: a document of several pieces is sent by the script; a cut connection loses nothing."""
    document, cuts = opinion_pdf(tmp_path, (17 << 20) + 123), []

    def cut(route: Route) -> None:
        if len(cuts) == 1:
            cuts.append("cut")
            route.abort()
            return
        cuts.append("passed")
        route.continue_()

    with Visitor.come(chromium, site) as visitor:
        page = visitor.page
        visitor.sign_in()
        page.route("**/api/v1/uploads/*", cut)
        visitor.open(site.commission(LARGE, "/commission/opinion"))
        fill_opinion(page, LARGE, site.world.digests[LARGE], document)
        page.get_by_role("button", name="提交意见书").click()
        expect(page.get_by_text("意见书已提交")).to_be_visible()
        visitor.wrong = [each for each in visitor.wrong if "ERR_FAILED" not in each]
    assert "cut" in cuts
    assert cuts.count("passed") >= 3


def test_a_double_click_is_one_step(visitor: Visitor, site: Site) -> None:
    """Sent twice, even from two windows, a form is one step, and nobody is told of an error."""
    page = visitor.page
    visitor.sign_in()
    visitor.open(site.commission(TWICE))
    other = visitor.context.new_page()
    other.goto(site.commission(TWICE))
    page.get_by_role("button", name="受理", exact=True).dblclick()
    expect(page.get_by_text("已受理。")).to_be_visible()
    other.get_by_role("button", name="受理", exact=True).click()
    expect(other.get_by_text("已受理。")).to_be_visible()
    steps = [
        each.details["transition"]["kind"]
        for each in events(site.world.custody, Action.COMMISSION)
        if each.details["commission_no"] == number(TWICE)
    ]
    assert steps.count("accept") == 1


def test_tt_04_a_supplement_is_acknowledged_by_its_own_digest(
    visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    """TT-04, AP-07: the digest of the supplement's own package lets the clock run again."""
    page = visitor.page
    visitor.sign_in()
    visitor.open(site.commission(SUPPLIED))
    digest = page.get_by_label("补充材料包的校验值")
    digest.fill(site.world.digests[SUPPLIED])
    page.get_by_role("button", name="签收补充材料").click()
    expect(page.get_by_role("alert")).to_contain_text("校验值")
    with page.expect_download() as started:
        page.locator("a[href$='/files/S1']").first.click()
    started.value.save_as(tmp_path / "S1.zip")
    digest.fill(hashlib.sha256((tmp_path / "S1.zip").read_bytes()).hexdigest())
    page.get_by_role("button", name="签收补充材料").click()
    expect(page.get_by_text("期限继续计算")).to_be_visible()


def test_what_was_typed_is_kept_when_it_is_refused(visitor: Visitor, site: Site) -> None:
    """A form that lacks something comes back with its text, open, and with what to do."""
    page = visitor.page
    visitor.sign_in()
    visitor.open(site.commission(EXTENDING, "/commission"))
    page.locator("summary", has_text="延长鉴定期限").click()
    page.get_by_label("延长天数").fill("10")
    page.get_by_label("批准人").fill("王主任")
    page.locator("#extend-reason").fill("样品 量大")
    page.locator("details:has(#extend-reason) form").evaluate("each => each.noValidate = true")
    page.get_by_label("延长天数").fill("")
    page.locator("details:has(#extend-reason)").get_by_role("button").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("延长天数应为正整数")
    assert alert.evaluate("each => each === document.activeElement")
    assert page.locator("#extend-reason").input_value() == "样品 量大"
    expect(page.get_by_label("批准人")).to_have_value("王主任")


def test_ap_08_every_mistake_in_the_particulars_is_listed(
    visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    """AP-08: what cannot be read is told line by line, and the form keeps all that was typed."""
    page = visitor.page
    visitor.sign_in()
    visitor.open(site.commission(RUNNING, "/commission/opinion"))
    fill_opinion(page, RUNNING, "ab" * 32, opinion_pdf(tmp_path))
    page.locator("[name=issued_at]").evaluate("each => each.type = 'text'")
    page.locator("[name=issued_at]").fill("2026年3月10日")
    page.locator("[name=opinion_no]").evaluate("each => each.value = '长'.repeat(201)")
    page.get_by_role("button", name="提交意见书").click()
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
    assert page.locator("[name=methods]").input_value() == "检索比对"
    assert page.locator("[name=materials_listed]:checked").count() == 2
    assert page.locator("[name=seal]").is_checked()
    # The browser says that it cannot show such a date in its own field.
    visitor.wrong = [each for each in visitor.wrong if "required format" not in each]


def test_a_defect_is_told_without_its_inside(
    chromium: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw is a page in both languages, and no traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("inside")

    with Visitor.come(chromium, site) as visitor:
        page = visitor.page
        visitor.sign_in()
        monkeypatch.setattr(queue, "agency_listing", broken)
        visitor.open("/queue")
        expect(page.get_by_role("heading", name="系统出错")).to_be_visible()
        expect(page.get_by_text("Something went wrong here")).to_be_visible()
        assert not re.search("inside|RuntimeError|Traceback", page.content())
        assert len(visitor.wrong) == 2
        visitor.wrong.clear()


def test_another_agency_finds_nothing(visitor: Visitor, site: Site) -> None:
    """ST-06: what is another agency's looks as what does not exist; roles keep their doors."""
    page = visitor.page
    visitor.sign_in("wuyue")
    expect(page.get_by_role("link", name=number(FOREIGN))).to_be_visible()
    assert page.locator("ol.rows > li").count() == 1
    told = []
    for address in (site.commission(LATE), site.commission(999)):
        visitor.open(address)
        expect(page.get_by_role("heading", name="没有这个页面或委托")).to_be_visible()
        told.append(re.sub("14号|999号", "", page.locator("main").inner_text()))
    assert told[0] == told[1]
    visitor.open("/officer/commissions")
    expect(page.get_by_role("heading", name="不允许这样做")).to_be_visible()


def test_a_reminder_stands_on_the_page_of_its_agency(visitor: Visitor) -> None:
    """TT-01: an overdue decision is told on the agency's page, and leads to its commission."""
    page = visitor.page
    visitor.sign_in()
    page.get_by_role("link", name="通知").click()
    late = page.locator("ol.rows > li", has_text=number(LATE)).first
    expect(late).to_contain_text("受理期限")
    late.get_by_role("link").click()
    expect(page.get_by_role("heading", name=number(LATE))).to_be_visible()
    page.get_by_role("button", name="退出").click()
    visitor.sign_in("wuyue")
    visitor.open("/notices")
    assert not page.get_by_text(number(LATE)).count()


def test_a_member_comes_in_by_a_one_time_link(chromium: Browser, site: Site) -> None:
    """The administrator adds a member, who sets a password with the link and is in."""
    with Visitor.come(chromium, site) as visitor:
        page = visitor.page
        visitor.sign_in()
        visitor.open("/members")
        page.get_by_role("textbox", name="账号").fill("qiangong")
        page.get_by_label("姓名").fill("钱工")
        page.get_by_role("button", name="添加并生成一次性链接").click()
        link = page.locator(".say code").inner_text()
    with Visitor.come(chromium, site) as visitor:
        page = visitor.page
        visitor.open(link)
        page.get_by_label("新密码").fill(PASSWORD)
        page.get_by_label("再输入一次").fill(PASSWORD)
        page.get_by_role("button", name="保存并登录").click()
        expect(page.get_by_role("heading", name="鉴定委托")).to_be_visible()
        visitor.open("/members")
        expect(page.get_by_role("heading", name="不允许这样做")).to_be_visible()
        visitor.open("/tokens")
        page.get_by_label("用途").fill("夜间下载")
        page.get_by_role("button", name="新建").click()
        assert page.locator(".say code").inner_text().startswith("zl_")
        page.get_by_role("button", name="吊销 夜间下载").click()
        expect(page.get_by_text("令牌已吊销。")).to_be_visible()
        visitor.open(link)
        page.get_by_label("新密码").fill(PASSWORD)
        page.get_by_label("再输入一次").fill(PASSWORD)
        page.get_by_role("button", name="保存并登录").click()
        expect(page.get_by_role("alert")).to_contain_text("已使用或已过期")


def test_a_wrong_password_is_told_in_the_form(visitor: Visitor) -> None:
    """The account stands in its field again, the password does not."""
    page = visitor.page
    visitor.open("/sign-in")
    page.get_by_label("账号").fill("hegong")
    page.get_by_label("密码").fill("wrong wrong wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    expect(page.get_by_label("账号")).to_have_value("hegong")
    expect(page.get_by_label("密码")).to_have_value("")
