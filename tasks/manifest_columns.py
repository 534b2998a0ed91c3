"""The columns of a manifest: their names in YAML, their Chinese headings, and what they mean.

The one table from which the judge, the templates and the reference (docs/manifest.md) are made.
A column may be written by its name (``source_holder``), its Chinese heading (来源或持有人) or an
alias; spelling is compared without spaces, case, width and the marks of required columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.nouns import FORM_NAMES, KIND_NAMES


class Need(StrEnum):
    """Whether a column must be filled in."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Column:
    """One column: ``key`` is its name in code and YAML, ``zh`` its Chinese heading."""

    key: str
    zh: str
    need: Need
    help_zh: str
    help_en: str
    aliases: tuple[str, ...] = ()
    example: str = ""
    limit: int = 500
    """Longest value, in characters."""


_A, _S, _O = Need.ALWAYS, Need.SOMETIMES, Need.OPTIONAL

HEADER = (
    Column(
        "bundle_no",
        "证据包编号",
        _A,
        "本单位自编，不得重复；同一编号不得用于不同内容",
        "your own number of this bundle; one number never stands for two contents",
        ("包号", "证据包号", "bundle_id", "bundle"),
        "PD-2026-0123-01",
        100,
    ),
    Column(
        "case_no",
        "案号",
        _A,
        "案件编号，照立案文书填写",
        "case number as on the filing document",
        ("案件编号", "案件号", "立案号", "case", "case_number"),
        "沪浦市监案〔2026〕0123号",
        100,
    ),
    Column(
        "cause",
        "案由",
        _A,
        "例如：涉嫌侵犯商业秘密",
        "cause of the case",
        ("案件事由", "事由"),
        "涉嫌侵犯商业秘密",
        200,
    ),
    Column(
        "unit",
        "办案单位",
        _A,
        "须与投递文件夹的名称一致",
        "enforcement unit; the same as the name of its drop folder",
        ("单位", "办案机构", "执法单位", "unit_id", "enforcement_unit"),
        "浦东新区市场监督管理局",
        100,
    ),
    Column(
        "submitted_by",
        "提交人",
        _A,
        "提交本证据包的人员姓名",
        "who submits the bundle",
        ("移送人", "送交人", "报送人", "submitter"),
        "王芳",
        100,
    ),
    Column(
        "submitted_at",
        "提交时间",
        _A,
        "例如 2026-11-20 09:30；未写时区的按北京时间",
        "for example 2026-11-20 09:30; without a zone it is Beijing time",
        ("移送时间", "送交时间", "报送时间"),
        "2026-11-20 09:30",
        60,
    ),
    Column(
        "secrecy",
        "密级",
        _O,
        "公开、一般、内部、商业秘密；不填为“一般”。国家秘密不得进入本系统",
        "public, ordinary, internal or trade_secret; ordinary if left out. No state secrets",
        ("保密级别", "秘密等级", "secrecy_level"),
        "商业秘密",
        40,
    ),
    Column("note", "备注", _O, "需要说明的其他事项", "remarks", ("说明", "remark"), "", 1000),
    Column(
        "schema",
        "清单版本",
        _O,
        "固定为 zhenglian.manifest/1",
        "always zhenglian.manifest/1",
        ("schema_version", "版本"),
        "zhenglian.manifest/1",
        60,
    ),
)

OFFICERS_KEY = "officers"
OFFICERS_ZH = "执法人员"

OFFICER = (
    Column("name", "姓名", _A, "执法人员姓名", "name of the officer", ("名字",), "张伟", 60),
    Column(
        "id",
        "执法证号",
        _A,
        "执法证件号码",
        "number of the enforcement certificate",
        ("证件号", "证号", "执法证件号", "编号", "officer_id", "badge"),
        "310115001",
        60,
    ),
    Column("title", "职务", _O, "职务", "title", (), "", 60),
    Column("phone", "电话", _O, "联系电话", "telephone", ("联系电话", "手机", "tel"), "", 60),
)

ITEM = (
    Column(
        "path",
        "文件路径",
        _A,
        "相对于证据包根目录，用 / 分隔",
        "relative to the bundle's root, with /",
        ("路径", "文件", "文件名", "file", "filename", "file_path"),
        "合同/供货合同.pdf",
        4096,
    ),
    Column(
        "kind",
        "证据种类",
        _A,
        "八种法定证据之一：" + "；".join(KIND_NAMES.values()),
        "one of the eight kinds of the law: " + ", ".join(KIND_NAMES),
        ("种类", "证据类型", "类型", "证据类别", "evidence_kind", "type"),
        "书证",
        40,
    ),
    Column(
        "form",
        "原件或复制件",
        _A,
        "、".join(FORM_NAMES.values()),
        ", ".join(FORM_NAMES),
        ("形式", "证据形式", "原件/复制件", "原件复制件"),
        "原件",
        40,
    ),
    Column(
        "name",
        "证据名称",
        _A,
        "证据的名称",
        "name of the evidence",
        ("名称", "题名", "title"),
        "供货合同",
        200,
    ),
    Column(
        "source_holder",
        "来源或持有人",
        _A,
        "从何处、何人取得",
        "source or holder: from where or whom it was obtained",
        ("来源", "持有人", "提供人", "证据来源", "source", "holder"),
        "上海某某化工有限公司",
        300,
    ),
    Column(
        "obtained_at",
        "取得时间",
        _A,
        "例如 2026-11-18 14:20；只知道日期的可只写日期",
        "for example 2026-11-18 14:20; the day alone if no more is known",
        ("调取时间", "提取时间", "收集时间", "取证时间", "obtained"),
        "2026-11-18 14:20",
        60,
    ),
    Column(
        "obtained_place",
        "取得地点",
        _A,
        "取得证据的地点",
        "place where it was obtained",
        ("调取地点", "提取地点", "收集地点", "取证地点", "地点", "place"),
        "当事人办公室",
        300,
    ),
    Column(
        "method",
        "取得方式",
        _A,
        "例如：现场调取、扫描、拍照、镜像提取",
        "how it was obtained, for example collected on site, scanned, imaged",
        ("取得方法", "提取方法", "提取方式", "收集方式", "取证方法", "取证方式", "方式"),
        "现场调取",
        300,
    ),
    Column(
        "fact_to_prove",
        "证明事项",
        _S,
        "拟证明的事实；视听资料、电子数据的复制件必填",
        "the fact to be proved; required for copies of audiovisual material and electronic data",
        ("证明对象", "待证事实", "证明目的", "证明内容", "拟证明事实"),
        "双方存在供货关系",
        1000,
    ),
    Column(
        "digest",
        "校验值",
        _S,
        "算法:值，例如 sha256:…；电子数据须填写，或者填写未提供的原因",
        "algorithm:value, for example sha256:...; required for electronic data, or the reason",
        ("完整性校验值", "哈希值", "哈希", "摘要值", "hash", "checksum"),
        "",
        1000,
    ),
    Column(
        "no_digest_reason",
        "未提供校验值的原因",
        _S,
        "电子数据未提供 SHA-256、SM3 或 BLAKE3 校验值的，说明原因",
        "why electronic data comes without a SHA-256, SM3 or BLAKE3 value",
        ("无校验值原因", "未提供校验值原因", "没有校验值的原因"),
        "",
    ),
    Column(
        "category",
        "电子数据类别",
        _S,
        "电子数据必填，例如：文档、电子邮件、聊天记录、网页、数据库、日志",
        "required for electronic data: document, e-mail, chat, web page, database, log and so on",
        ("数据类别", "电子数据类型", "data_category"),
        "电子邮件",
        100,
    ),
    Column(
        "file_format",
        "文件格式",
        _S,
        "电子数据必填；不填取文件扩展名，没有扩展名时必须填写",
        "required for electronic data; the file's ending if left out, unless it has none",
        ("格式", "format"),
        "",
        100,
    ),
    Column(
        "copy_reason",
        "复制原因",
        _S,
        "不是原件的必填：为何不能取得原件",
        "required unless original: why the original was not taken",
        ("未取得原件的原因", "不能取得原件的原因", "复制理由"),
        "原件由持有人保管",
    ),
    Column(
        "original_location",
        "原件存放处",
        _S,
        "不是原件的必填：原件由谁保存、存放何处",
        "required unless original: who keeps the original, and where",
        ("原件存放地点", "原件持有人", "原件保存处", "原件所在"),
        "上海某某化工有限公司档案室",
        300,
    ),
    Column(
        "checked_by",
        "核对人",
        _S,
        "不是原件的必填：与原件核对的人员",
        "required unless original: who compared it with the original",
        ("核对人员", "校对人"),
        "张伟",
        100,
    ),
    Column(
        "checked_at",
        "核对时间",
        _S,
        "不是原件的必填：核对日期",
        "required unless original: when it was compared",
        ("核对日期",),
        "2026-11-18",
        60,
    ),
    Column(
        "annotation",
        "核对注记",
        _S,
        "不是原件的必填，例如：与原件核对无误",
        "required unless original: the words on the copy, for example 'agrees with the original'",
        ("注明", "注记", "核对意见", "核对结论"),
        "与原件核对无误",
        300,
    ),
    Column(
        "made_by",
        "复制件制作人",
        _S,
        "视听资料、电子数据的复制件必填",
        "who made the copy; required for copies of audiovisual material and electronic data",
        ("制作人", "复制人", "copied_by"),
        "李娜",
        100,
    ),
    Column(
        "made_at",
        "复制件制作时间",
        _O,
        "不填视为取得时间",
        "when the copy was made; the time obtained if left out",
        ("制作时间", "复制时间", "copied_at"),
        "",
        60,
    ),
    Column(
        "is_digitised",
        "是否数字化件",
        _O,
        "是或否：纸质证言、陈述、笔录等扫描成的文件填“是”，证据种类不变",
        "yes or no: a scan of testimony, a statement or a record on paper; its kind stays",
        ("是否数字化", "数字化", "is_digitized", "digitised"),
        "",
        10,
    ),
    Column("copies", "份数", _O, "份数", "number of copies", (), "", 10),
    Column("pages", "页数", _O, "页数", "number of pages", (), "", 10),
    Column("pieces", "件数", _O, "件数", "number of pieces", ("数量", "quantity"), "", 10),
    Column(
        "medium", "存储介质", _O, "原始存储介质的类型和编号", "medium and its number", ("介质",)
    ),
    Column(
        "seal_no",
        "封条编号",
        _O,
        "封存的填写封条编号",
        "number of the seal",
        ("封存编号", "封条号"),
    ),
    Column(
        "witness", "见证人", _O, "见证人，或者没有见证人的原因", "witness, or why none", (), "", 300
    ),
    Column(
        "description", "描述", _O, "性状、内容等描述", "description", ("性状", "内容"), "", 1000
    ),
    Column("note", "备注", _O, "备注", "remarks", ("说明", "remark"), "", 1000),
    Column(
        "seq",
        "序号",
        _O,
        "仅供填写人使用；以行的先后为准",
        "for your own use; the order of the lines counts",
        ("no", "number"),
        "",
        10,
    ),
)

COUNTS = ("copies", "pages", "pieces")
