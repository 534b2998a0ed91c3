"""The README of every package: how an agency without this software checks and answers."""

README = """\
鉴定材料包说明
==============

一、先核对整个材料包（解压之前）
    计算压缩文件的 SHA-256，应与鉴定委托书上印制的校验值逐字一致：
        sha256sum 材料包.zip            （Linux、macOS：shasum -a 256）
        certutil -hashfile 材料包.zip SHA256      （Windows）
    不一致时请勿使用，并立即通知委托人。

二、核对每一件材料（解压之后，在本文件所在目录执行，任选其一）
        sha256sum -c checks/sha256sums.txt
        b3sum -c checks/b3sums.txt
        cksum -a sm3 --check checks/sm3sums.txt
    本目录同时是一个 BagIt 1.0 包，可用任何 BagIt 工具校验。

三、文件说明
    data/              材料工作副本，与保管的原件逐字节一致，文件名为证据编号
    material.csv       鉴定材料清单（名称、种类、数量、性状、唯一标识、校验值）；
                       单元格开头的 ' 是防止被当作公式而加的，不属于内容
    material.json      同一清单的机读格式
    commission.json    委托事项、要求、保密条款等
    readings.json      各材料所用的文字识读：识读引擎、日志序号和识读文本的校验值，
                       供意见书引用；仅为辅助，不是证据
    proofs/            每件材料的保管记录（*.event.json 为日志条目的原始字节，
                       *.tlog-proof 为其包含证明）、签名检查点（checkpoint）和
                       日志公钥（log.pub），格式为 C2SP tlog-proof 与 signed note

四、如何答复
    1. 签收或受理时，复述材料包的 SHA-256。
    2. 在委托书载明的受理期限内决定是否受理；不予受理须说明理由并退还材料。
    3. 鉴定意见书须载明：委托书编号、所鉴定材料的编号、材料包的 SHA-256，
       由至少两名鉴定人签名并加盖机构印章，附机构和鉴定人资质。

五、保密
    本包内容仅供本次鉴定使用。除列明的材料外，案件的其他证据未予披露。


About this appraisal package
============================

1. Before unpacking, check the zip file: its SHA-256 must be the one printed on the commission
   letter.
       sha256sum PACKAGE.zip
   If it differs, do not use the package and tell the client at once.

2. After unpacking, check every file, in the folder of this README, with any one of:
       sha256sum -c checks/sha256sums.txt
       b3sum -c checks/b3sums.txt
       cksum -a sm3 --check checks/sm3sums.txt
   The folder is also a BagIt 1.0 bag; any BagIt tool validates it.

3. What is here
   data/            working copies, byte for byte the originals in custody, named by exhibit
   material.csv     the material list (name, kind, quantity, properties, mark, digests); a '
                    at the start of a cell keeps it from being a formula, it is not content
   material.json    the same for machines
   commission.json  matters, requirements, secrecy terms
   readings.json    what text was read from each exhibit with which engine: log entry and digest
                    of the transcript, for an opinion to cite; an aid, never evidence
   proofs/          for each exhibit its custody log entry (*.event.json, the leaf's exact bytes)
                    and its inclusion proof (*.tlog-proof), the signed checkpoint and the log's
                    public key (log.pub): C2SP tlog-proof and signed-note formats

4. How to answer
   a. Repeat the package's SHA-256 when you acknowledge or accept.
   b. Accept or decline by the day named in the letter; give the reason if you decline.
   c. State in the opinion: the number of the commission, the exhibits appraised, the package's
      SHA-256. At least two appraisers sign, the agency seals, qualifications are annexed.

5. Secrecy: for this appraisal only. Other exhibits of the case are not disclosed.
"""
