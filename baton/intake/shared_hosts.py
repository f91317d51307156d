"""Hosts that many companies share: a page or a mailbox there says nothing about the company. Data;
extend it freely.

The private part of the public suffix list (``myshopify.com``, ``github.io``) comes from tldextract
and is not repeated here.
"""

# A page of a company there is no page of its own. Whoever has a mailbox there works there, so this
# holds for websites only.
SHARED_SITES = frozenset(
    """
    about.me academia.edu airtable.com alibaba.com amazon.com angel.co apple.com behance.net
    bing.com bit.ly booking.com box.com bsky.app calendly.com canva.com capterra.com clutch.co
    crunchbase.com discord.com discord.gg docsend.com dribbble.com dropbox.com ebay.com ebay.de
    etsy.com eventbrite.com eventbrite.de facebook.com fb.com fb.me figma.com flickr.com forms.gle
    g.page g2.com github.com gitlab.com glassdoor.com gofundme.com goo.gl google.com google.de
    gumroad.com houzz.com imdb.com indeed.com instagram.com issuu.com kickstarter.com kununu.com
    lnkd.in line.me linkedin.com linktr.ee loom.com mailchi.mp mastodon.social medium.com
    meetup.com messenger.com microsoft.com mixcloud.com myspace.com northdata.com northdata.de
    notion.so ok.ru outlook.com patreon.com paypal.com paypal.me pinterest.com pinterest.de
    producthunt.com quora.com reddit.com researchgate.net rocketreach.co scribd.com signal.me
    slack.com slideshare.net snapchat.com soundcloud.com spotify.com stackoverflow.com substack.com
    surveymonkey.com t.co t.me telegram.me telegram.org threads.net threema.id tiktok.com
    tinyurl.com trello.com tripadvisor.com trustpilot.com tumblr.com twitch.tv twitter.com
    typeform.com upwork.com viber.com vimeo.com vk.com wa.me wechat.com weibo.com wellfound.com
    whatsapp.com wikipedia.org x.com xing.com yelp.com yelp.de youtu.be youtube.com zoom.us
    zoominfo.com
    """.split()  # noqa: SIM905 - a list to be read
)

# Tenants side by side under one domain that is not on the public suffix list; also as addresses.
SHARED_TENANTS = frozenset(
    """
    amazonses.com atlassian.net bigcartel.com business.site carrd.co eepurl.com firebaseapp.com
    force.com freshdesk.com godaddysites.com hs-sites.com hubspotpagebuilder.com jimdo.com
    jimdofree.com jimdosite.com list-manage.com mailgun.org mystrikingly.com onmicrosoft.com
    pipedrive.email salesforce-sites.com sendgrid.net sharepoint.com squarespace.com strikingly.com
    teachable.com thinkific.com tilda.ws unbouncepages.com weebly.com wix.com wixsite.com
    wordpress.com zendesk.com zohosites.com
    """.split()  # noqa: SIM905 - a list to be read
)

# Addresses that pass mail on to somebody whose company they do not name; the host or anything under
# it.
MAIL_RELAYS = frozenset(
    """
    addy.io aleeas.com anonaddy.com anonaddy.me cloaked.id craigslist.org dralias.com
    guest.airbnb.com guest.booking.com icloud.com mail.airbnb.com mailer.me marketplace.amazon.com
    marketplace.amazon.de members.ebay.com mozmail.com passmail.net passinbox.com passmail.com
    privaterelay.appleid.com relay.firefox.com reply.facebook.com reply.github.com
    reply.linkedin.com simplelogin.co simplelogin.com slmail.me slmails.com
    users.noreply.github.com 8alias.com 8shield.net simplelogin.fr
    """.split()  # noqa: SIM905 - a list to be read
)

# Registries that sell names to companies, on the private part of the list only because no country
# runs them.
REGISTRIES = frozenset(
    """
    ae.org br.com cn.com co.com co.nl co.no com.de com.ru com.se de.com eu.com eu.org gb.net gr.com
    hu.net in.net jp.net jpn.com kr.com mex.com net.ru org.ru qc.com ru.com sa.com se.net uk.com
    uk.net us.com us.org za.bz za.com
    """.split()  # noqa: SIM905 - a list to be read
)
