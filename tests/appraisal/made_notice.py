"""A notice for 2027, invented: the real one was not out when these tests were written."""

import json
from typing import Any

NOTICE_2027: dict[str, Any] = {
    "schema": "zhenglian.calendar-year/1",
    "year": 2027,
    "source": "测试用安排，并非官方通知",
    "document": "测试〔2026〕1号",
    "published": "2026-11-05",
    "holidays": {
        "2027-01-01": "元旦",
        "2027-02-05": "春节",
        "2027-02-08": "春节",
        "2027-02-09": "春节",
        "2027-02-10": "春节",
        "2027-02-11": "春节",
        "2027-02-12": "春节",
        "2027-04-05": "清明节",
        "2027-05-03": "劳动节",
        "2027-05-04": "劳动节",
        "2027-06-09": "端午节",
        "2027-09-15": "中秋节",
        "2027-10-01": "国庆节",
        "2027-10-04": "国庆节",
        "2027-10-05": "国庆节",
        "2027-10-06": "国庆节",
        "2027-10-07": "国庆节",
    },
    "make_up": {
        "2027-01-30": "春节",
        "2027-02-20": "春节",
        "2027-10-09": "国庆节",
        "2027-10-10": "国庆节",
    },
}


def notice_text(**changes: Any) -> bytes:
    """Return the notice as a file's bytes, with changes."""
    return json.dumps({**NOTICE_2027, **changes}, ensure_ascii=False).encode()
