"""The README of every package: how an agency without this software checks and answers."""

README = """\
鉴定材料包说明
==============

一、先核对整个材料包（解压之前）
    计算压缩文件的 SHA-256，应与鉴定委托书上印制的校验值逐字一致：
        sha256sum 材料包.zip            （Linux、macOS：shasum -a 256）
        certutil -hashfile 材料包.zip SHA256      （Windows）
    不一致时请勿使用，并立即通知委托人。收到的是 .zip.age 的，先用贵机构的私钥解密
    （age -d -i 私钥 -o 材料包.zip 材料包.zip.age），再核对其中的 .zip。

二、核对每一件材料（解压之后，在本文件所在目录执行，任选其一）
        sha256sum -c checks/sha256sums.txt
        b3sum -c checks/b3sums.txt
        cksum -a sm3 --check checks/sm3sums.txt
    本目录同时是一个 BagIt 1.0 包，可用任何 BagIt 工具校验。

三、核对每件材料的来源（任一装有 Python 3.9 以上的电脑，无需联网，无需安装任何软件）
        python3 -I verify.py
    逐件给出结果：ok 即该件确为本案入库登记的证据，且逐字节一致；excerpt 为节录件。公钥应与委托人
    公布的核对：python3 -I verify.py --policy 委托人公布的policy.json

四、文件说明
    data/              材料工作副本，与保管的原件逐字节一致，文件名为证据编号；
                       带 .p3-5 字样的是原件第 3 至 5 页的节录，属派生件，不是原件
    material.csv       鉴定材料清单（名称、种类、数量、性状、唯一标识、校验值）；
                       单元格开头的 ' 是防止被当作公式而加的，不属于内容
    material.json      同一清单的机读格式
    excerpts.json      如有节录：来自哪件、哪些页、用何工具（派生件，不是证据）
    commission.json    委托事项、要求、保密条款等
    secrecy-terms.txt  保密条款，供打印、签署、留存（另有 .pdf）
    answer.txt         回执：填写后交回委托人
    readings.json      各材料所用的文字识读：识读引擎、日志序号和识读文本的校验值，
                       供意见书引用；仅为辅助，不是证据
    statement.json、events/、checkpoint、older/、policy.json、verify.py
                       每件材料入库的保管记录、在签名日志中的证明和核验程序；此后的保管记录
                       只计数，不在本包内
    proofs/            同样的记录按证据编号各一份，供逐件手工核对
                       （C2SP tlog-proof 与 signed note 格式，公钥 log.pub）

五、如何答复
    1. 在 answer.txt 中填写材料包的 SHA-256（请自行计算）、答复（签收、受理、不予受理）、姓名、
       日期，交回委托人即可，无需本系统的软件或账号。
    2. 在委托书载明的受理期限内决定是否受理；不予受理须说明理由并退还材料。
    3. 鉴定意见书须载明：委托书编号、所鉴定材料的编号、材料包的 SHA-256，
       由至少两名鉴定人签名并加盖机构印章，附机构和鉴定人资质。

六、保密
    本包内容仅供本次鉴定使用。除列明的材料外，案件的其他证据不在本包内。


About this appraisal package
============================

1. Before unpacking, check the zip file: its SHA-256 must be the one printed on the commission
   letter.
       sha256sum PACKAGE.zip
   If it differs, do not use the package and tell the client at once. If you got a .zip.age, decrypt
   it first with your own key (age -d -i KEY -o PACKAGE.zip PACKAGE.zip.age); the value on the
   letter is that of the .zip inside.

2. After unpacking, check every file, in the folder of this README, with any one of:
       sha256sum -c checks/sha256sums.txt
       b3sum -c checks/b3sums.txt
       cksum -a sm3 --check checks/sm3sums.txt
   The folder is also a BagIt 1.0 bag; any BagIt tool validates it.

3. Check where each exhibit comes from: any computer with Python 3.9 or later, no network, nothing
   to install.
       python3 -I verify.py --lang en
   For each exhibit: "ok" says that it is the one entered in the custody log of this case, byte for
   byte; "excerpt" that it is some pages of it. Compare the key with the one that the client
   published: python3 -I verify.py --lang en --policy THEIR_policy.json

4. What is here
   data/            working copies, byte for byte the originals in custody, named by exhibit; a name
                    with .p3-5 is an excerpt of pages 3 to 5: a derivative, not the original
   material.csv     the material list (name, kind, quantity, properties, mark, digests); a '
                    at the start of a cell keeps it from being a formula, it is not content
   material.json    the same for machines
   excerpts.json    of excerpts, if any: of what, which pages, made with what; never evidence
   commission.json  matters, requirements, secrecy terms
   secrecy-terms.txt, .pdf   the terms, to print, sign and file
   answer.txt       the answer: fill it in and send it back
   readings.json    what text was read from each exhibit with which engine: log entry and digest
                    of the transcript, for an opinion to cite; an aid, never evidence
   statement.json, events/, checkpoint, older/, policy.json, verify.py
                    for each exhibit the custody event that stored it, its proof in the signed log,
                    and the program that checks them; later events are counted, not shown
   proofs/          the same by exhibit number, to check one by hand (C2SP tlog-proof and signed
                    note; the log's public key is log.pub)

5. How to answer
   a. Fill in answer.txt: the package's SHA-256 (compute it yourselves), received, accept or
      decline, your name, the date. Send it back; no software of ours and no account is needed.
   b. Accept or decline by the day named in the letter; give the reason if you decline.
   c. State in the opinion: the number of the commission, the exhibits appraised, the package's
      SHA-256. At least two appraisers sign, the agency seals, qualifications are annexed.

6. Secrecy: for this appraisal only. Other exhibits of the case are not in it.
"""
