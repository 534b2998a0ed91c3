"""What people ask of a few pages, and the pages on which it is found."""

TEXTS = [
    "本公司客戶名單，及報價如下：\n客户\n名单共１２３家",
    "客户、名单；A customer's lists of prices",
    "钎焊温度850℃，GB/T 1234-2020，Orion Thermal listing",
    "頭髮發展，裏面",
]
ASKED = {
    "客户名单": [0],
    "客戶名單": [0],
    "名客": [],
    "单": [0, 1],
    "客户 名单": [0, 1],
    "客户 AND NOT 报价": [1],
    "NOT 客户": [2, 3],
    "报价 OR orion": [0, 2],
    "(报价 OR orion) AND 温度": [2],
    "（报价 OR orion） 温度": [2],
    "123": [0],
    "１２３": [0],
    "list": [1, 2],
    '"list"': [],
    '"lists"': [1],
    "“lists of”": [1],
    '"customer lists"': [],
    "orion-thermal": [],
    '"ORION  thermal"': [2],
    "GB/T 1234—2020": [2],
    "头发": [3],
    "里面 发展": [3],
    '"客户、名单"': [1],
    "and": [],
}
