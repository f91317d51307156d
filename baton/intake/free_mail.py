"""Domains that give anybody a mailbox: an address there says nothing about the company. Data;
extend it freely."""

# Providers that run under many country suffixes: the name alone decides (yahoo.co.uk, gmx.at,
# hotmail.fr).
FREE_MAIL_NAMES = frozenset(
    {
        "aol",
        "gmail",
        "gmx",
        "googlemail",
        "hotmail",
        "live",
        "msn",
        "outlook",
        "rocketmail",
        "yahoo",
        "yandex",
        "ymail",
    }
)

FREE_MAIL_DOMAINS = frozenset(
    """
    10minutemail.com 126.com 139.com 163.com 189.cn abv.bg alice.it aliceadsl.fr aliyun.com arcor.de att.net bbox.fr bell.net
    bellsouth.net bezeqint.net bigpond.com bk.ru blueyonder.co.uk bluewin.ch bol.com.br btinternet.com centrum.cz cegetel.net
    charter.net chello.at chello.nl club-internet.fr comcast.net cox.net daum.net duck.com dispostable.com earthlink.net email.cz
    email.com eircom.net email.it excite.com fastmail.com fastmail.fm fibertel.com.ar foxmail.com free.fr freemail.hu freenet.de
    frontier.com globo.com globomail.com gawab.com guerrillamail.com hanmail.net hetnet.nl hey.com hispeed.ch home.nl hushmail.com
    i.ua icloud.com ig.com.br iinet.net.au inbox.com inbox.lv inbox.ru indiatimes.com interia.pl internode.on.net inwind.it iol.pt
    itelefonica.com.br juno.com kabelmail.de kakao.com kpnmail.nl kpnplanet.nl laposte.net libero.it list.ru lycos.com mac.com mail.bg
    mail.com mail.de mail.ee mail.ru mailbox.org mailinator.com me.com mindspring.com mm.st mweb.co.za nate.com naver.com neuf.fr
    netcologne.de netscape.net netvigator.com netzero.net noos.fr ntlworld.com numericable.fr o2.pl online.de online.no onet.eu onet.pl
    op.pl optonline.net optusnet.com.au orange.fr pandora.be planet.nl pm.me pobox.com posteo.de posteo.net poste.it prodigy.net.mx
    proton.me protonmail.ch protonmail.com ptd.net qq.com quicknet.nl r7.com rambler.ru rediffmail.com roadrunner.com rogers.com
    safe-mail.net sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com sina.com.cn sky.com skynet.be sohu.com spray.se
    suddenlink.net sympatico.ca t-online.de talktalk.net telenet.be telfort.nl telia.com telus.net temp-mail.org terra.com.br tin.it
    tiscali.co.uk tiscali.it tlen.pl tom.com trashmail.com tuta.com tuta.io tutamail.com tutanota.com tutanota.de ukr.net unitybox.de
    uol.com.br upcmail.nl utanet.at verizon.net versatel.nl vip.163.com virgilio.it virgin.net virginmedia.com voila.fr volny.cz
    walla.co.il walla.com wanadoo.fr web.de windowslive.com windstream.net wp.pl xs4all.nl xtra.co.nz yeah.net yopmail.com zipmail.com.br
    ziggo.nl zoho.eu zohomail.com zonnet.nl
    """.split()  # noqa: SIM905 - a list to be read
)
