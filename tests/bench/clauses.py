"""What the pages of the benchmark say: clauses of contracts, with names and numbers by chance."""

from __future__ import annotations

import random

_PLACES = ("浦东", "苏州", "宁波", "佛山", "青岛", "武汉", "重庆", "厦门", "合肥", "沈阳")
_NAMES = ("恒越", "博锐", "凯盛", "启明", "瑞禾", "鼎新", "华蓝", "远帆", "晟达", "嘉沃")
_TRADES = ("精密机械", "生物制药", "新能源材料", "软件技术", "化工装备", "食品添加剂")
_GOODS = (
    "伺服电机", "减速器", "控制柜", "密封圈", "滚珠丝杠", "触摸屏", "液压阀", "传感器",
    "联轴器", "变频器", "冷却塔", "催化剂", "培养基", "过滤膜", "编码器", "轴承座",
)  # fmt: skip
_CLAUSES = (
    "{a}应当在收到预付款后{n}个工作日内，将合同项下的{g}运抵{p}市指定仓库，运输费用由{a}承担。",
    "双方对履行本合同过程中知悉的技术秘密、客户名单、供货价格及经营信息负有保密义务，期限为{n}年。",
    "未经{b}书面同意，{a}不得复制、披露或者允许他人使用编号为{k}的图纸、工艺参数和检测报告。",
    "{b}逾期付款的，每逾期一日按照应付金额的万分之{n}支付违约金；逾期超过{m}日的，{a}有权解除合同。",
    "本合同总价为人民币{y}元，其中首期款占百分之{n}，余款在验收合格并开具发票后{m}日内付清。",
    "员工离职时应当交还载有商业秘密的笔记本电脑、移动硬盘、实验记录和源代码，并签署交接清单。",
    "验收标准以附件{n}所列指标为准；{g}的额定功率误差不得超过百分之{m}，噪声应当低于六十分贝。",
    "因本合同引起的争议，由双方协商解决；协商不成的，提交{p}市仲裁委员会按照现行规则裁决。",
    "{a}保证其提供的{g}不侵犯任何第三方的专利权、著作权或者其他合法权益，否则应当赔偿全部损失。",
    "权利人采取了限制访问、分级标识、签订竞业限制协议等相应保密措施，上述信息尚不为公众所知悉。",
    "本协议一式{n}份，自双方签字盖章之日起生效，有效期至二〇二{s}年十二月三十一日止。",
    "质量保证期为{m}个月，自安装调试完毕之日起算；保修期内更换零部件的费用由{a}负担。",
    "涉案服务器的日志显示，账号{k}于凌晨三时许下载了{n}千余份设计文件，随后使用工具抹除痕迹。",
    "鉴定机构应当比对检材与样本在结构、尺寸、配方及代码逻辑上的异同，并说明所依据的方法。",
)
_ENGLISH = (
    "The Receiving Party shall keep the customer list, the process parameters and the source "
    "code of project {k} strictly confidential for a period of {n} years after termination.",
    "Delivery of the {e} shall take place within {n} working days of receipt of the deposit, "
    "carriage paid to the warehouse named in Annex {m}.",
    "If payment is overdue by more than {m} days, the Supplier may terminate this Agreement by "
    "written notice and claim liquidated damages of USD {y}.",
    "Neither party may copy, publish or allow any third person to use drawing No. {k} without "
    "the prior written consent of the other party.",
    "The rated output of each {e} must not deviate from the value in the data sheet by more than "
    "{n} per cent; noise must stay below 60 decibels.",
    "Any dispute arising out of or in connection with this contract shall be settled by "
    "arbitration in accordance with the rules in force at that time.",
    "On leaving the company every employee returns laptops, removable disks, laboratory "
    "notebooks and keys, and signs the list of what was handed over.",
    "The server log shows that account {k} downloaded about {m} thousand design files at night "
    "and afterwards ran a tool to erase its traces.",
)
_ENGLISH_GOODS = ("servo motor", "gear unit", "control cabinet", "ball screw", "heat exchanger")


def long_name(chance: random.Random) -> str:
    """Return the name of a company."""
    return f"{chance.choice(_PLACES)}{chance.choice(_NAMES)}{chance.choice(_TRADES)}有限公司"


def heading(chance: random.Random) -> str:
    """Return the heading of a contract."""
    return f"{chance.choice(_GOODS)}{chance.choice(('采购合同', '保密协议', '技术服务合同'))}"


def _code(chance: random.Random) -> str:
    return (
        f"{chance.choice('ABCDEFGHKMNPRT')}{chance.choice('XYVWK')}-{chance.randrange(100, 9999)}"
    )


def clause(chance: random.Random, *, vertical: bool = False) -> str:
    """Return a clause in Chinese; for vertical writing one without figures or Latin letters."""
    numbers = "三五七八九" if vertical else tuple(map(str, range(2, 30)))
    return chance.choice(_CLAUSES).format(
        a="甲方" if chance.random() < 0.6 else long_name(chance),
        b="乙方" if chance.random() < 0.6 else long_name(chance),
        g=chance.choice(_GOODS),
        p=chance.choice(_PLACES),
        n=chance.choice(numbers),
        m=chance.choice(numbers),
        s=chance.choice("五六七八九"),
        k="甲七" if vertical else _code(chance),
        y="十二万" if vertical else f"{chance.randrange(10_000, 9_999_999):,}.00",
    )


def english_clause(chance: random.Random) -> str:
    """Return a clause in English."""
    return chance.choice(_ENGLISH).format(
        e=chance.choice(_ENGLISH_GOODS),
        k=_code(chance),
        n=chance.randrange(2, 30),
        m=chance.randrange(2, 90),
        y=f"{chance.randrange(1000, 99_999):,}",
    )


def goods(chance: random.Random, number: int) -> tuple[str, ...]:
    """Return a row of a table of goods; some cells are empty."""
    count, price = chance.randrange(1, 400), chance.randrange(20, 9000)
    name = chance.choice(_GOODS) + chance.choice(("", "", "（进口）", "组件"))
    model = "" if chance.random() < 0.1 else _code(chance)
    return (str(number), name, model, str(count), f"{price}.50", f"{count * price:,}")
