"""Which text nobody can have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reader.plausible import implausible

CHINESE = (
    "甲方应当按照本合同约定的时间和地点交付货物乙方收到货物后应当在七个工作日内完成验收"
    "双方对在履行合同过程中知悉的商业秘密负有保密义务未经对方书面同意不得披露客户名单"
)
TRADITIONAL = (
    "甲方應當按照本合同約定的時間和地點交付貨物雙方對在履行合同過程中知悉的商業秘密負有保密義務"
)
JAPANESE = "当事者は契約の履行に関して知り得た営業秘密を第三者に開示してはならない。" * 2
ENGLISH = (
    "The supplier shall keep every customer list and price secret and shall not disclose "
    "technical data to third parties without the written consent of the other party. "
)
SHIFTED = "".join(chr((ord(c) - 97 + 3) % 26 + 97) if c.islower() else c for c in ENGLISH.lower())


@pytest.mark.parametrize(
    "text",
    [
        "", "客户名单", "?", "Zeichnung ÄÖÜ 42", CHINESE, TRADITIONAL, JAPANESE, ENGLISH,
        "zhonghua renmin gongheguo shangye mimi baohu tiaoli jiafang yingdang anzhao hetong " * 2,
        "Thông tin khách hàng là bí mật thương mại của công ty và không được tiết lộ cho bên khác",
        "Die Überlassung größerer Mengen führt zu höheren Gebühren für übrige Käufer. " * 3,
        "0f3a 77b2 9c1d " * 40, "1,200.00\t3,400.50\n" * 30, "............" * 30,
        "Договор поставки: коммерческая тайна сторон не подлежит разглашению.",
    ],
)  # fmt: skip
def test_what_people_write_is_believed(text: str) -> None:
    assert not implausible(text)


@pytest.mark.parametrize(
    "text",
    [
        CHINESE.encode().decode("gb18030", "replace"),
        CHINESE.encode("gbk").decode("latin-1"),
        CHINESE.encode().decode("cp1252", "replace"),
        CHINESE.encode("gbk").decode("big5", "ignore"),
        SHIFTED,
        "(cid:12)(cid:88)(cid:301)" * 9,
        "??? ?? ????? ?? 2026 ?? ????",
        "\u0e01\u0e02\u05d0\u05d1\u0627\u0628\u0905\u0906\u10d0\u10d1\u13a0\u13a1\u1200\u1208" * 3,
    ],
)
def test_what_nobody_writes_is_not(text: str) -> None:
    assert implausible(text)


@given(st.text(max_size=200))
def test_it_says_something_of_every_text(text: str) -> None:
    assert implausible(text) in (True, False)
