"""The control words of Rich Text Format that matter for its words, as tables."""

from __future__ import annotations

CODECS = {
    437: "cp437", 850: "cp850", 874: "cp874", 932: "cp932", 936: "gb18030", 949: "cp949",
    950: "cp950", 1250: "cp1250", 1251: "cp1251", 1252: "cp1252", 1253: "cp1253",
    1254: "cp1254", 1255: "cp1255", 1256: "cp1256", 1257: "cp1257", 1258: "cp1258",
    54936: "gb18030", 65001: "utf-8",
}  # fmt: skip
"""Codecs by the number of a Windows code page."""

FONT_CODE_PAGES = {
    128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250",
}  # fmt: skip
"""Codecs by a font's character set. A font without one of these is in the document's own:
Chinese programs set Chinese in fonts that they call Western."""

SINKS = {
    "body": "正文 body",
    "header": "页眉 header",
    "headerl": "页眉 header",
    "headerr": "页眉 header",
    "headerf": "首页页眉 first header",
    "footer": "页脚 footer",
    "footerl": "页脚 footer",
    "footerr": "页脚 footer",
    "footerf": "首页页脚 first footer",
    "footnote": "脚注 footnotes",
    "annotation": "批注 comments",
    "atnauthor": "批注作者 authors of comments",
    "fldinst": "",
    "revtbl": "",
    "fonttbl": "",
}
"""Destinations whose words are kept, with the label of their page; without one, not shown."""

TIMES = frozenset({"creatim", "revtim", "printim"})
INFO = ("title", "subject", "author", "manager", "company", "operator", "keywords", "doccomm",
        "creatim", "revtim", "printim")  # fmt: skip
"""Destinations of the information group, kept as metadata."""

SHOWN = frozenset({"shppict", "shpinst", "ud", "background", "nesttableprops"})
"""Destinations marked as skippable whose words are shown all the same."""

SKIPPED = frozenset(
    {
        "colortbl", "stylesheet", "objdata", "themedata", "datastore", "latentstyles", "listtable",
        "listoverridetable", "rsidtbl", "generator", "xmlnstbl", "filetbl", "nonshppict", "sp",
        "bkmkstart", "bkmkend", "atnid", "atndate", "atnref", "pn", "pntext", "mmathpr", "xe",
        "tc", "objclass", "objname", "docvar", "userprops", "blipuid", "picprop", "wgrffmtfilter",
        "panose", "falt", "colorschememapping",
    }
)  # fmt: skip
"""Destinations that hold no words."""

CONTROL_TEXT = {
    "par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "nestrow": "\n",
    "tab": "\t", "cell": "\t", "nestcell": "\t", "~": "\u00a0", "_": "-", "emdash": "—",
    "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "bullet": "•", "emspace": " ", "enspace": " ",
}  # fmt: skip
"""What control words and symbols stand for."""

CODES = {
    "deleted": "已删除 deleted",
    "inserted": "已插入 inserted",
    "hidden": "隐藏文字 hidden text",
}
"""Labels of what is not, or not simply, on the printed page."""
