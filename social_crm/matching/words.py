"""Lists of words and hosts that comparing needs."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Access and mail providers that the list of free e-mail domains lacks.
PROVIDERS = _words("""
    a1.net aon.at chello.at kabelplus.at liwest.at utanet.at drei.at magenta.at inode.at
    tele2.at telering.at vol.at bluewin.ch sunrise.ch hispeed.ch t-online.de arcor.de
    freenet.de vodafone.de kabelmail.de o2online.de unitybox.de ewetel.net netcologne.de
    sfr.fr free.fr laposte.net bbox.fr numericable.fr neuf.fr alice.it tim.it tiscali.it
    virgilio.it fastwebnet.it telefonica.net movistar.es ono.com jazztel.es sapo.pt ziggo.nl
    kpnmail.nl xs4all.nl planet.nl telenet.be skynet.be proximus.be telia.com online.no
    broadpark.no mail.dk btinternet.com sky.com talktalk.net virginmedia.com ntlworld.com
    comcast.net verizon.net att.net cox.net charter.net shaw.ca rogers.com bigpond.com
    optusnet.com.au tutanota.com tuta.io tuta.com duck.com privaterelay.appleid.com
    simplelogin.com
""")

#: Mailboxes that a team reads.
ROLES = _words("""
    abuse account accounting accounts admin administration anfrage bestellung billing booking
    bookings buchhaltung buero career careers comercial compras contabilidad contact contacto
    contatti customercare customerservice direction email enquiries events facturacion
    feedback finance hallo hello help helpdesk hey hi hola hostmaster hr info infos inquiries
    invoice invoices it jobs kontakt legal mail mailbox marketing media news newsletter
    noreply no-reply office order orders personal postmaster press presse privacy purchasing
    rechnung recruiting redaktion reception rezeption sales security sekretariat service shop
    socialmedia social staff stayintouch support team ventas verkauf vertrieb webmaster
    welcome willkommen zentrale
""")

#: Sites on which each page is somebody else's.
SHARED_SITES = _words("""
    about.me allmylinks.com amazon.com apple.com behance.net beacons.ai bio.link bsky.app
    bsky.social buymeacoffee.com calendly.com carrd.co crunchbase.com deviantart.com dev.to
    discord.gg discord.com dribbble.com etsy.com eventbrite.com facebook.com fb.com fb.me
    flickr.com github.com gitlab.com codeberg.org goodreads.com google.com imdb.com
    instagram.com keybase.io ko-fi.com lnk.bio linkedin.com linktr.ee linktree.com
    mastodon.social mastodon.online medium.com meetup.com orcid.org patreon.com pinterest.com
    producthunt.com quora.com reddit.com researchgate.net scholar.google.com snapchat.com
    soundcloud.com spotify.com stackoverflow.com substack.com t.me telegram.me threads.com
    threads.net tiktok.com tumblr.com twitch.tv twitter.com unsplash.com vimeo.com wa.me
    wikipedia.org wordpress.com x.com xing.com yelp.com youtu.be youtube.com
""")

#: Words in a name that do not tell people apart.
PARTICLES = _words("""
    von van vom zu zur de del della der den di da dos das du und and dr prof mag ing dipl mr mrs
    ms miss sir herr frau mme phd md mba msc bsc jr sr ii iii
""")

#: The same between two names; at the beginning or end they are names or initials.
INNER_PARTICLES = _words("""
    la le el al bin ibn ben abu do e y
""")

#: Legal forms of companies.
LEGAL_FORMS = _words("""
    gmbh gesmbh ges mbh ag kg co cie ohg og eu ev ug inc incorporated ltd limited llc llp lp
    plc corp corporation company sa sas sarl srl spa snc sl slu bv nv ab as aps oy oyj kft doo
    sro zrt pty pvt se the
""")

#: What companies add to their name on a network.
OFFICIAL = _words("""
    official offiziell oficial officiel hq team page
""")
